"""What the worker tidies."""
