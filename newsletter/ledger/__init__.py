"""The log of events, its seals and its checkpoints."""
