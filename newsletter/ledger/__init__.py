"""The ledger, its seals and checkpoints."""
