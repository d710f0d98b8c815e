"""The rules, pure: no database, no network, no clock of their own."""
