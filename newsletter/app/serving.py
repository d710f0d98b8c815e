"""gunicorn's configuration: `gunicorn -c python:newsletter.app.serving 'newsletter:create_app()'`.

Names that gunicorn knows are its settings. Loading this module reads the environment and checks the database's
keyring, so a mistake ends the process with exit status 2 before anything is bound.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from pathlib import Path
from secrets import token_hex
from typing import Any

from gunicorn.glogging import Logger

from newsletter.app import create_core, logs
from newsletter.config import load_or_exit, refuse
from newsletter.domain.errors import SettingsError, WrongDataKey
from newsletter.storage.keys import keyring
from newsletter.storage.models import db
from newsletter.web.http import limits, wrong_tokens

_settings = load_or_exit()


def _check_keyring() -> None:
    try:
        app = create_core(_settings)
    except SettingsError as error:
        refuse(error)
    with app.app_context():
        try:
            keyring.check()
        except WrongDataKey as error:
            refuse(error)
        finally:
            # Two processes must not share the connection that a fork would copy.
            db.engine.dispose()


class _Log(Logger):  # type: ignore[misc]  # it ships no types
    """Sends gunicorn's own lines through the redacting formatter, too."""

    def setup(self, cfg: Any) -> None:
        """Leave the handlers to newsletter.app.logs."""
        super().setup(cfg)
        logs.configure(_settings)
        for log in (self.error_log, self.access_log):
            log.handlers.clear()
            log.propagate = True


def _cores() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_check_keyring()
# What no line of ours names is not looked up for each (Python's manual on logging, "Optimization"). Here, since an
# application that mounts ours may name it.
logging._srcfile = None
logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False

limits.share_among_processes(_settings)
wrong_tokens.share_among_processes()

# Hosts that run a Procfile reach the process from outside; elsewhere a firewall protects it.
workers = _settings.web_concurrency or min(max(2, _cores()), 4)
bind = f"0.0.0.0:{_settings.port}"
worker_class = "newsletter.app.waitress_worker.WaitressWorker"
# For what changes something, and as many for what only reads (`_Threads` of the worker class).
threads = 1
timeout = 30
# Requests under way are finished before the host kills the process, mostly after ten seconds.
graceful_timeout = 8
# Requests are logged by newsletter.web.http.access_log: gunicorn's line would name client and path.
accesslog = None
errorlog = "-"
# At debug, it would log every path.
loglevel = "info" if _settings.log_level == "DEBUG" else _settings.log_level.lower()
logger_class = _Log
control_socket_disable = True
# On a slow disk, a heartbeat can come too late, and gunicorn then kills the worker.
_memory = Path("/dev/shm")  # noqa: S108 - gunicorn makes its file there safely, and unlinks it at once
worker_tmp_dir = str(_memory) if _memory.is_dir() else None

# The counters of all processes for /metrics. Those of an ended process are kept, so none is marked dead.
_metrics = (
    _memory if _memory.is_dir() else Path(tempfile.gettempdir())
) / f"newsletter-{token_hex(8)}"
raw_env = [f"PROMETHEUS_MULTIPROC_DIR={_metrics}"]


def on_starting(_server: Any) -> None:
    _metrics.mkdir(mode=0o700)


def on_exit(_server: Any) -> None:
    shutil.rmtree(_metrics, ignore_errors=True)
