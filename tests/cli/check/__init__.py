"""What `newsletter check` finds, through real servers on loopback."""
