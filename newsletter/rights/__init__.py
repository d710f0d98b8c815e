"""The rights of a person: access, proof, erasure report, and the end of retention periods."""
