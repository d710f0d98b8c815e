"""The description of all doors."""
