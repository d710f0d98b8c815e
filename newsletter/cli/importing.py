"""Take people over from another system."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from newsletter.cli.application import ACTOR, passphrase_from, show, with_app
from newsletter.cli.terminal import one_line, progress
from newsletter.subscriptions.importing import take as importing
from newsletter.subscriptions.importing.entry import Why
from newsletter.subscriptions.importing.report import Fate, Report
from newsletter.subscriptions.importing.take import Upload

_FILE = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)


@click.command("import")
@click.argument("file", type=_FILE)
@click.option(
    "--dry-run", is_flag=True, help="Report what would become of each row; change nothing."
)
@click.option(
    "--without-proof", is_flag=True, help="Take people without a time of consent, and mark them so."
)
@click.option(
    "--subscribed", is_flag=True, help="A renamed file of Mailchimp's lists subscribed contacts."
)
@click.option("--passphrase-file", type=_FILE, help="Of an encrypted export; else it is asked for.")
@click.option("--json", "as_json", is_flag=True, help="The report as JSON.")
@with_app
def import_(
    *,
    file: Path,
    dry_run: bool,
    without_proof: bool,
    subscribed: bool,
    passphrase_file: Path | None,
    as_json: bool,
) -> None:
    """Take people over from another system.

    FILE is one of Mailchimp's export of an audience (subscribed, unsubscribed or cleaned contacts), an export of this
    service, or a list as CSV with the columns email, confirmed_at, requested_at, language, source and note. Nobody is
    written to. Whoever is known stays as they are, unless the file says that they left since. If a run was interrupted,
    the same command goes on with it. The report names rows by their number; row 1 is the heading. The exit status is 1
    if one was refused.
    """
    with file.open("rb") as opened:
        upload = importing.read(
            opened,
            file.name,
            is_subscribed=subscribed,
            ask_passphrase=lambda: passphrase_from(passphrase_file),
        )
        total = upload.table.length
        with progress("Rows", is_shown=not as_json) as advance:
            report = importing.take(
                upload,
                actor=ACTOR,
                without_proof=without_proof,
                dry_run=dry_run,
                watch=lambda report: advance(report.done, total),
            )
            advance(total, total)
    if as_json:
        show(_document(upload, report, dry_run=dry_run))
    else:
        for line in _lines(upload, report, dry_run=dry_run):
            click.echo(one_line(line))
    if report.refused:
        raise SystemExit(1)


def _lines(upload: Upload, report: Report, *, dry_run: bool) -> Iterator[str]:
    table = upload.table
    yield f"{upload.format.title}, {table.encoding}. Rows: {table.length - 1}."
    yield f"Read of each row: {', '.join(upload.format.taken)}."
    yield f"Dropped: {', '.join(upload.format.dropped) or 'nothing'}."
    for fate in Fate:
        if report.count(fate):
            yield f"{str(fate).capitalize()}: {report.count(fate)}{_where(report, fate)}"
    for why, rows in report.refused.items():
        yield f"Refused, {why}: {rows.count} (row {rows})"
    if report.refused.get(Why.NO_TIME):
        yield "To take those without a time of consent, who cannot be proved to have given one: --without-proof."
    if dry_run:
        yield "Nothing was changed: this was a dry run."


def _where(report: Report, fate: Fate) -> str:
    """The rows, except of those who were simply taken."""
    is_plain = fate in (Fate.CONFIRMED, Fate.BLOCKED)
    return "" if is_plain else f" (row {report.fates[fate]})"


def _document(upload: Upload, report: Report, *, dry_run: bool) -> dict[str, Any]:
    return {
        "file": upload.format.title,
        "sha256": upload.table.digest,
        "encoding": upload.table.encoding,
        "rows": upload.table.length - 1,
        "read": upload.format.taken,
        "dropped": upload.format.dropped,
        "dry_run": dry_run,
        "taken": {
            fate.name.lower(): {"count": rows.count, "rows": rows.ranges}
            for fate, rows in report.fates.items()
        },
        "refused": {
            why.name.lower(): {"count": rows.count, "rows": rows.ranges}
            for why, rows in report.refused.items()
        },
    }
