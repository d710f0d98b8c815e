"""The `newsletter` command. Addresses come from standard input or a prompt, never from the arguments, which others
can read in a list of processes. Exit status: 0 done, 1 not done, 2 wrong usage or settings.
"""

from __future__ import annotations

import click

from newsletter.cli import (
    inventory,
    keys,
    ledger,
    mailchimp,
    people,
    processes,
    proof,
    retention,
    wording,
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="newsletter")
def main() -> None:
    """Double opt-in for a newsletter run with Mailchimp."""


for _command in (
    processes.release,
    processes.worker,
    processes.check,
    people.erase,
    people.access,
    people.block,
    people.lift,
    people.hold,
    people.rectify,
    proof.proof,
    wording.wording,
    mailchimp.reconcile,
    mailchimp.webhook,
    ledger.ledger,
    retention.retention,
    keys.keys,
    inventory.data_inventory,
):
    main.add_command(_command)
