"""Use cases for one person: one function for each, one transaction each, in the file named after the action."""
