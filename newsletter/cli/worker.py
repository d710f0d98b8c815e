"""`newsletter worker`: the process beside `web`."""

from __future__ import annotations

import logging
import os

import click
from flask import current_app

from newsletter.cli.application import RESTORED_STATUS, say_restored, with_app
from newsletter.storage.keys import keyring
from newsletter.worker.run import Worker


@click.command()
@with_app
def worker() -> None:
    """Send e-mails and keep Mailchimp in step.

    It also seals the ledger and ends data whose period is over. It runs until SIGTERM, and then finishes its current
    step. Exit status 3 where the database was restored from a backup, or its checkpoints are missing.
    """
    keyring.check()
    running = Worker(current_app._get_current_object())  # type: ignore[attr-defined]
    has_ended = running.run()
    if running.restored is not None:
        say_restored(running.restored)
    if not has_ended:
        # The interpreter would wait at its end for a thread that hangs in a driver.
        logging.shutdown()
        os._exit(0 if running.restored is None else RESTORED_STATUS)
    if running.restored is not None:
        raise SystemExit(RESTORED_STATUS)
