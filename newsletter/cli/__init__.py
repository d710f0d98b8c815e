"""The `newsletter` command. Addresses come from standard input or a prompt, never from the arguments, which others
can read in a list of processes. Exit status: 0 done, 1 not done, 2 wrong usage or settings, 3 a restored database.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import click

from newsletter.cli import terminal

#: Where each command is. It is imported when it is run: all of them would take the worker 20 MB more.
_COMMANDS = {
    "access": "people:access",
    "block": "people:block",
    "check": "check.command:check",
    "data-inventory": "inventory:data_inventory",
    "erase": "people:erase",
    "export": "exporting:export",
    "hold": "people:hold",
    "import": "importing:import_",
    "keys": "keys:keys",
    "ledger": "ledger:ledger",
    "lift": "people:lift",
    "proof": "proof:proof",
    "reconcile": "mailchimp:reconcile",
    "rectify": "people:rectify",
    "release": "release:release",
    "retention": "retention:retention",
    "status": "status:status",
    "texts": "texts:texts",
    "webhook": "mailchimp:webhook",
    "wording": "wording:wording",
    "worker": "worker:worker",
}


class _AllInOne(click.Group):
    """A group whose help lists the commands of its groups, and whose output cannot control a terminal."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names, without importing them."""
        return sorted({*_COMMANDS, *super().list_commands(ctx)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return super().get_command(ctx, cmd_name)
        module, _, name = _COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(f"{__name__}.{module}"), name)
        return command

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run a command with escaped output."""
        with terminal.escaped():
            return super().main(*args, **kwargs)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List every command, `keys rotate` beside `keys`."""
        rows = [
            row
            for name in self.list_commands(ctx)
            if (command := self.get_command(ctx, name)) is not None
            for row in _rows(name, command)
        ]
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
