"""What DNS says of the sender."""
