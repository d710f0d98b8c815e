"""The log of what has happened, its seals and checkpoints."""
