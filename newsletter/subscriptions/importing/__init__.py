"""Taking people over from another system: a file is read (table, formats), then taken in batches (take)."""
