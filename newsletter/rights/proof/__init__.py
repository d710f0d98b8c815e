"""The proof of a consent, made and checked."""
