"""`newsletter keys`."""

from __future__ import annotations

import base64
import json
import os
import pty
import re
import subprocess
from datetime import timedelta
from typing import Any

import pytest
from click.testing import Result
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, update

from newsletter.storage import notices
from newsletter.storage.database import writing
from newsletter.storage.keys import keyring, rotation, signing
from newsletter.storage.models import Keyring, Subscription
from newsletter.storage.notices import Code
from tests.checkout import command
from tests.commands import Run
from tests.conftest import COMPANY, Clock, every_loop
from tests.patience import PATIENCE
from tests.people import ADA, access, sign_up

pytestmark = every_loop

OLD = COMPANY["DATA_KEY"]
NEW = "a-newer-key-of-thirty-two-characters"
BOTH = f"{NEW},{OLD}"
HOUR = timedelta(hours=1)
COMMAND = command("newsletter")


def said(result: Result) -> str:
    assert result.exit_code == 0, result.stderr
    return result.stdout


def test_a_rotation_prints_how_many_keys_were_wrapped_again(run: Run) -> None:
    first, *then = said(run("keys", "rotate", DATA_KEY=BOTH)).splitlines()

    assert first == "3 of 3 keys were wrapped again, with the newest DATA_KEY."
    assert then[0].startswith("Remove the older ones from the list")


def test_rotating_again_changes_nothing(run: Run) -> None:
    run("keys", "rotate", DATA_KEY=BOTH)

    assert said(run("keys", "rotate", DATA_KEY=NEW)) == (
        "Nothing changed: all 3 keys are wrapped with the newest DATA_KEY.\n"
    )


def test_a_worker_with_a_stale_data_key_is_named(run: Run, app: Flask) -> None:
    with app.app_context():
        notices.post(Code.KEY_IS_STALE, "a worker")

    assert "put the one that does into its list" in run("keys", "rotate").stderr


def test_after_a_rotation_the_new_data_key_alone_reads_everything(
    run: Run, client: FlaskClient
) -> None:
    sign_up(client, ADA)
    run("keys", "rotate", DATA_KEY=BOTH)

    assert '"email": "Ada@example.org"' in said(run("access", "--json", given=ADA, DATA_KEY=NEW))


@pytest.mark.parametrize("line", ["worker", "release"])
def test_after_a_rotation_the_old_data_key_alone_is_refused_at_the_start(
    run: Run, line: str
) -> None:
    run("keys", "rotate", DATA_KEY=BOTH)

    refused = run(line, DATA_KEY=OLD)

    assert refused.exit_code == 2
    assert "DATA_KEY: does not open this database's keyring." in refused.stderr


def test_a_new_data_key_encrypts_everything_and_the_old_one_is_kept_for_now(
    run: Run, client: FlaskClient
) -> None:
    sign_up(client, ADA)

    lines = said(run("keys", "rotate", "--data")).splitlines()

    assert lines[1:] == [
        "A new data key encrypts from now on.",
        "2 values were encrypted again.",
        "The old data key is kept for now: an hour after the new one was made, the worker or"
        " `newsletter keys rotate` deletes it.",
    ]
    assert access(client, ADA)["email"] == "Ada@example.org"


def test_a_later_run_deletes_the_old_data_key(run: Run, client: FlaskClient, clock: Clock) -> None:
    run("keys", "rotate", "--data")
    sign_up(client, ADA)
    clock.shift(HOUR)

    assert said(run("keys", "rotate")).splitlines()[-1] == (
        "The old data key was deleted: nothing needs it."
    )
    assert access(client, ADA)["email"] == "Ada@example.org"


def test_an_interrupted_run_is_continued(run: Run) -> None:
    run("keys", "rotate", "--data")

    assert "its rotation continues" in said(run("keys", "rotate", "--data"))


def test_values_written_meanwhile_are_left_for_the_next_run(
    run: Run, app: Flask, client: FlaskClient
) -> None:
    with app.app_context():
        keyring.current()
    run("keys", "rotate", "--data")
    sign_up(client, ADA)

    assert "2 values are still encrypted with an old data key" in said(run("keys", "list"))
    assert "2 values were encrypted again." in said(run("keys", "rotate"))


def test_an_old_data_key_that_nothing_needs_is_listed_as_such(run: Run) -> None:
    lines = said(run("keys", "rotate", "--data")).splitlines()

    assert [line for line in lines if "values" in line] == []
    assert "No values are still encrypted with an old data key" in said(run("keys", "list"))


def test_values_that_cannot_be_read_are_counted_and_not_named(
    run: Run, app: Flask, client: FlaskClient
) -> None:
    sign_up(client, ADA)
    with app.app_context(), writing() as session:
        key = keyring.prefix(max(keyring.current().data))
        session.execute(update(Subscription).values(address=key + bytes(40)))

    result = run("keys", "rotate", "--data")

    assert result.exit_code == 1
    assert "1 value cannot be read." in result.stderr
    assert "example.org" not in result.output.lower()


def keys_in(text: str) -> list[str]:
    """The fingerprints of the printed keys, as another tool reads them."""
    blocks = re.findall(r"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----\n", text, re.DOTALL)
    keys: list[Any] = [load_pem_public_key(block.encode()) for block in blocks]
    return [signing.fingerprint(key) for key in keys]


def test_every_public_key_is_printed_with_its_fingerprint_the_newest_first(run: Run) -> None:
    (before,) = keys_in(said(run("keys", "public")))
    said(run("keys", "rotate", "--signing"))

    printed = said(run("keys", "public"))

    newest, earlier = keys_in(printed)
    assert earlier == before
    assert f"signs now, fingerprint {newest}\n" in printed
    assert f"signed before, fingerprint {earlier}\n" in printed


def test_no_private_octet_is_ever_printed(run: Run, environ: dict[str, Any], app: Flask) -> None:
    with app.app_context():
        private = keyring.current().signing_key.private_bytes_raw()
        digest_key = keyring.current().digest_key

    told = "".join(run("keys", *words).output for words in (["list"], ["public"], ["rotate"]))

    for octets in (private, digest_key):
        assert octets.hex() not in told
        assert base64.b64encode(octets).decode().rstrip("=") not in told
    assert OLD not in told
    assert "PRIVATE" not in told


def test_programs_get_the_list_as_json(run: Run) -> None:
    listed = json.loads(said(run("keys", "list", "--json")))

    assert {key["purpose"] for key in listed["keys"]} >= {"data", "signing"}
    assert {key["wrapped_with"] for key in listed["keys"]} == {1}
    assert listed["encrypted_with_an_old_key"] == 0


def test_the_list_names_the_data_key_that_wraps_each_key(run: Run) -> None:
    lines = said(run("keys", "list", DATA_KEY=BOTH)).splitlines()

    assert [line.split()[1] for line in lines[:3]] == ["data", "digest", "signing"]
    assert all(line.endswith("wrapped with DATA_KEY no. 2 of the list") for line in lines[:3])
    assert lines[3] == "`newsletter keys rotate` wraps all of them with the newest."


def test_the_list_of_a_rotated_keyring_has_no_advice(run: Run) -> None:
    lines = said(run("keys", "list")).splitlines()

    assert len(lines) == 3
    assert all(line.endswith("wrapped with the newest DATA_KEY") for line in lines)


@pytest.mark.parametrize("words", [["list"], ["public"], ["rotate"], ["rotate", "--data"]])
def test_a_wrong_data_key_is_status_two(run: Run, words: list[str]) -> None:
    result = run("keys", *words, DATA_KEY=NEW)

    assert (result.exit_code, result.stdout) == (2, "")
    assert "DATA_KEY: does not open this database's keyring." in result.stderr


@pytest.mark.parametrize("words", [["public"], ["rotate"]])
def test_a_database_before_its_release_has_nothing_to_rotate(
    run: Run, app: Flask, words: list[str]
) -> None:
    with app.app_context(), writing() as session:
        session.execute(delete(Keyring))

    result = run("keys", *words)

    assert result.exit_code == 1
    assert "run `newsletter release`" in result.stderr


def test_a_terminal_shows_a_progress_bar(environ: dict[str, Any], client: FlaskClient) -> None:
    sign_up(client, ADA)
    terminal, end = pty.openpty()
    process = subprocess.Popen([COMMAND, "keys", "rotate", "--data"], env=environ, stdout=end)
    os.close(end)

    assert process.wait(PATIENCE) == 0
    shown = os.read(terminal, 65536)
    os.close(terminal)
    assert b"Values" in shown
    assert b"100%" in shown


def test_an_old_data_key_stays_long_enough_for_every_process_to_notice() -> None:
    assert rotation.KNOWN_AFTER > 10 * keyring.READ_EVERY
