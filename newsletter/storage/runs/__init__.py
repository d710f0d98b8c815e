"""The records of nightly runs."""
