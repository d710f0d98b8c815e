"""The audience in a file, so that it agrees with the database in the next run, too."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

from sandbox.mailchimp.audience import Audience
from sandbox.mailchimp.contacts import Contact, Forgotten


def load(file: Path, audience: Audience) -> None:
    """Fill an audience from a file, if there is one."""
    if not file.exists():
        return
    held = json.loads(file.read_text())
    contacts = [Contact(**values) for values in held["contacts"]]
    audience.contacts.update({contact.key: contact for contact in contacts})
    audience.in_compliance.update(held["in_compliance"])
    audience.forgotten = Forgotten(held["forgotten"]["key"], held["forgotten"]["digests"])


def save(file: Path, audience: Audience) -> None:
    """Write the file as a whole, readable by its owner alone."""
    held = {
        "contacts": [asdict(contact) for contact in audience.contacts.values()],
        "in_compliance": sorted(audience.in_compliance),
        "forgotten": {"key": audience.forgotten.key, "digests": sorted(audience.forgotten)},
    }
    fresh = file.with_suffix(".new")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:  # noqa: PTH123
        json.dump(held, out, indent=1)
    fresh.replace(file)
