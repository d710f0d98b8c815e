"""How long a test waits for what must come, however slow the machine is, before it fails."""

PATIENCE = 300.0  #: seconds
