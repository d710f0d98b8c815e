"""`newsletter retention --after-restore` and `newsletter ledger new-folder`."""
