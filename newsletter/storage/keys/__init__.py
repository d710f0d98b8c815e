"""The keys, and what is encrypted and signed with them."""
