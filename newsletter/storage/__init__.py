"""Tables, transactions, leases, keys, and the records of runs."""
