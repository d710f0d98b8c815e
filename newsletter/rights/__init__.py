"""What can be shown of a person, and what ends."""
