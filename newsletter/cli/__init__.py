"""The `newsletter` command. Addresses come from standard input or a prompt, never from the arguments, which others
can read in a list of processes. Exit status: 0 done, 1 not done, 2 wrong usage or settings, 3 a restored database.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from newsletter.cli import (
    exporting,
    importing,
    inventory,
    keys,
    ledger,
    mailchimp,
    people,
    processes,
    proof,
    retention,
    status,
    terminal,
    texts,
    wording,
)


class _AllInOne(click.Group):
    """A group whose help lists the commands of its groups, and whose output cannot control a terminal."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run a command with escaped output."""
        with terminal.escaped():
            return super().main(*args, **kwargs)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List every command, `keys rotate` beside `keys`."""
        rows = [row for name in self.list_commands(ctx) for row in _rows(name, self.commands[name])]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def _rows(name: str, command: click.Command) -> Iterator[tuple[str, str]]:
    yield name, command.get_short_help_str(limit=100)
    if isinstance(command, click.Group):
        for each, inner in command.commands.items():
            yield from _rows(f"{name} {each}", inner)


@click.group(cls=_AllInOne, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="newsletter")
def main() -> None:
    """Double opt-in for a newsletter run with Mailchimp."""


for _command in (
    processes.release,
    processes.worker,
    processes.check,
    status.status,
    people.erase,
    people.access,
    people.block,
    people.lift,
    people.hold,
    people.rectify,
    proof.proof,
    wording.wording,
    texts.texts,
    mailchimp.reconcile,
    mailchimp.webhook,
    ledger.ledger,
    retention.retention,
    keys.keys,
    inventory.data_inventory,
    importing.import_,
    exporting.export,
):
    main.add_command(_command)
