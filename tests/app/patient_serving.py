"""gunicorn's configuration of a web process that waits for clients without end."""

from newsletter.app import connection
from newsletter.app.serving import *  # noqa: F403 - gunicorn reads all names

connection.READ_SECONDS = connection.IDLE_SECONDS = 3600
