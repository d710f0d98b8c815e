"""`python -m bench.importing [database URL]`: how long `newsletter import` takes for a large file, and its memory.

On SQLite in a temporary folder, or in a database that is given, which must hold nobody yet. Prints a table in Markdown.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import time
from pathlib import Path

from bench.usage import Usage
from newsletter.app import create_app
from newsletter.config import load
from tests.checkout import command
from tests.conftest import COMPANY, release

_HEADING = (
    '"Email Address","First Name","Last Name",MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LATITUDE,'
    "LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION,LAST_CHANGED,LEID,EUID,NOTES,TAGS\n"
)


def file_of(people: int, folder: Path) -> Path:
    """A file as Mailchimp writes it, of so many subscribers."""
    path = folder / "subscribed_email_audience_export_1a2b3c4d5e.csv"
    with path.open("w") as file:
        file.write(_HEADING)
        for number in range(people):
            file.write(
                f'person{number}@example.com,Ada,"Lovelace, {number}",2,"2019-03-05 10:20:29",198.51.100.7,'
                f'"2019-03-05 10:21:33",198.51.100.7,51.5,-0.1,0,1,Europe/London,GB,H9,"2024-01-09 08:00:12",'
                f'{number},{number:010x},,"""VIP"",""fair"""\n'
            )
    return path


def measured(words: list[str], environ: dict[str, str]) -> tuple[float, float]:
    """Run a command to its end; the seconds, and the most megabytes that it held."""
    began, most = time.perf_counter(), 0.0
    running = subprocess.Popen(words, env=environ, stdout=subprocess.DEVNULL)
    while running.poll() is None:
        try:
            most = max(most, Usage.of(running.pid).memory)
        except (FileNotFoundError, ProcessLookupError, ValueError):
            break
        time.sleep(0.05)
    if running.wait():
        raise RuntimeError(f"{words[1]} ended with {running.returncode}")
    return time.perf_counter() - began, most


def main() -> None:
    """Measure, and print the table."""
    arguments = argparse.ArgumentParser(prog="python -m bench.importing", description=__doc__)
    arguments.add_argument("url", nargs="?", help="a database of its own (SQLite)")
    arguments.add_argument("--people", type=int, nargs="+", default=[10_000, 100_000])
    given = arguments.parse_args()
    print("| | people | seconds | people/s | MB |", "| --- | --: | --: | --: | --: |", sep="\n")
    for people in given.people:
        with tempfile.TemporaryDirectory() as folder:
            url = given.url or f"sqlite:///{folder}/newsletter.sqlite3"
            environ = {**COMPANY, "DATABASE_URL": url, "SMTP_URL": "smtp://localhost:9"}
            release(create_app(load(environ)))
            path = file_of(people, Path(folder))
            for what, *options in (("dry run", "--dry-run"), ("import",), ("again",)):
                words = [command("newsletter"), "import", str(path), *options]
                seconds, memory = measured(words, {**os.environ, **environ})
                rate = people / seconds
                print(f"| {what} | {people:,} | {seconds:.1f} | {rate:,.0f} | {memory:.0f} |")


if __name__ == "__main__":
    main()
