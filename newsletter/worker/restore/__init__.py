"""After a restored backup."""
