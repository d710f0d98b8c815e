"""`newsletter proof`: made with the database, checked without anything."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from click.testing import Result
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from flask import Flask
from flask.testing import FlaskClient

from newsletter.storage.keys import keyring, signing
from tests.checkout import command
from tests.commands import Run, commands
from tests.conftest import Join, sealing
from tests.people import ADA, STAFF, access, ask_staff, sign_up

pytestmark = sealing

NOT_SEALED = (
    "authority, conforms_to, controller, erasure_id, follows, kind, language, made_at, privacy_notice,"
    " privacy_rights, purposes, rounds.letters.message_id, rounds.letters.reply, rounds.letters.subject,"
    " rounds.letters.text, rounds.letters.values, rounds.letters.written_at,"
    " wordings.privacy_notices, wordings.published_at"
)


@pytest.fixture
def file(run: Run, join: Join, tmp_path: Path) -> Path:
    """The proof of Ada's consent, all of it sealed."""
    join(ADA)
    return kept(run("proof", given=f"{ADA}\n"), tmp_path)


def kept(made: Result, folder: Path) -> Path:
    assert made.exit_code == 0, made.stderr
    path = folder / "proof.json"
    path.write_bytes(made.stdout_bytes)
    return path


def verify(*words: str | Path) -> Result:
    """Check a file without any setting."""
    with commands({}) as run:
        result: Result = run("proof", "verify", *map(str, words))
        return result


def key_of(app: Flask) -> str:
    with app.app_context():
        return signing.public_pem(keyring.current().signing_key.public_key())


def test_a_file_is_checked_without_settings_and_database(
    app: Flask, file: Path, tmp_path: Path
) -> None:
    # In a process that knows of nothing else.
    checked = subprocess.run(
        [command("newsletter"), "proof", "verify", file],
        env={},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )

    with app.app_context():
        fingerprint = signing.fingerprint(keyring.current().signing_key.public_key())
    assert (checked.returncode, checked.stderr) == (0, "")
    assert checked.stdout.splitlines() == [
        "The signature fits all that it says.",
        "Ledger rows: 4, of which 4 are sealed and 0 are not sealed yet.",
        "Rows bound to the address: 4.",
        "Consent texts: 1.",
        f"Signed by the issuer, not sealed: {NOT_SEALED}.",
        f"The key's fingerprint: {fingerprint}",
        "",
        "WHOSE KEY THIS IS WAS NOT CHECKED. Anybody can sign such a file with a key of",
        "their own: it is only as good as the fingerprint above. Compare that with the one",
        "that the issuer has published, or give their key by --key.",
        "",
        "Nothing in it was changed since it was signed by this key.",
    ]


def test_what_the_door_gives_is_checked_the_same_way(
    client: FlaskClient, join: Join, tmp_path: Path
) -> None:
    join(ADA)
    path = tmp_path / "proof.json"
    reference = access(client, ADA)["reference"]
    path.write_bytes(client.get(f"/admin/proofs/{reference}", headers=STAFF).data)

    assert verify(path).exit_code == 0


@pytest.mark.parametrize(
    ("given", "error"),
    [
        (
            "garbled",
            "This is neither a reference number (32 of 0-9 and a-f) nor an e-mail address.",
        ),
        ("0" * 32, "No record under this reference number."),
        (ADA, "Nobody is known by this address."),
        (f"{ADA}\n{ADA}\n", "One line is expected. Given: 2."),
        ("\n", "Nothing was given on standard input."),
    ],
)
def test_a_proof_that_cannot_be_made_is_refused_with_the_reason(
    run: Run, given: str, error: str
) -> None:
    result = run("proof", given=given)

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"Error: {error}\n"


def test_one_flipped_byte_is_named_and_status_one(file: Path) -> None:
    octets = bytearray(file.read_bytes())
    octets[octets.index(b'"sealed_at":"2') + 13] ^= 1
    file.write_bytes(octets)

    checked = verify(file)

    assert checked.exit_code == 1
    assert "Its signature does not fit what it says." in checked.stderr
    assert "its seal does not fit" in checked.stderr
    assert "Nothing in it was changed." not in checked.stdout


@pytest.mark.parametrize("octets", [b"", b"{", b"[]", b"\xff\xfe", b'{"schema":"x"}'])
def test_what_is_no_proof_is_status_one_in_one_line(octets: bytes, tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_bytes(octets)
    checked = verify(path)

    assert (checked.exit_code, checked.stdout) == (1, "")
    assert len(checked.stderr.splitlines()) == 1


def test_a_published_key_is_compared(app: Flask, file: Path, tmp_path: Path) -> None:
    theirs, others = tmp_path / "theirs.pem", tmp_path / "others.pem"
    theirs.write_text(key_of(app))
    others.write_text(signing.public_pem(Ed25519PrivateKey.generate().public_key()))
    right = verify(file, "--key", theirs)
    wrong = verify(file, "--key", others)

    assert (right.exit_code, "is by the key given" in right.stdout) == (0, True)
    assert right.stdout.endswith("\nNothing in it was changed.\n")
    assert (wrong.exit_code, wrong.stderr) == (
        1,
        "Error: It is signed, but not by the key given.\n",
    )


def test_after_a_rotation_the_published_keys_check_what_was_signed_before(
    run: Run, file: Path, tmp_path: Path
) -> None:
    published = tmp_path / "published.pem"
    assert run("keys", "rotate", "--signing").exit_code == 0
    published.write_text(run("keys", "public").stdout)
    newest = tmp_path / "newest.pem"
    newest.write_text(published.read_text().partition("signed before")[0])

    by_all = run("proof", "verify", str(file), "--key", str(published))
    by_newest = run("proof", "verify", str(file), "--key", str(newest))

    assert (by_all.exit_code, "is by one of the keys given" in by_all.stdout) == (0, True)
    assert (by_newest.exit_code, by_newest.stderr) == (
        1,
        "Error: It is signed, but not by the key given.\n",
    )


def test_one_key_of_another_kind_among_them_is_refused(
    app: Flask, file: Path, tmp_path: Path
) -> None:
    public = generate_private_key(SECP256R1()).public_key()
    other = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    keys = tmp_path / "keys.pem"
    keys.write_text(key_of(app) + other)
    checked = verify(file, "--key", keys)

    assert (checked.exit_code, "no public key for Ed25519" in checked.stderr) == (1, True)


def test_a_key_of_another_kind_is_refused(file: Path, tmp_path: Path) -> None:
    public = generate_private_key(SECP256R1()).public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for octets in (pem, b"no key"):
        (tmp_path / "key.pem").write_bytes(octets)
        checked = verify(file, "--key", tmp_path / "key.pem")

        assert checked.exit_code == 1
        assert "no public key for Ed25519" in checked.stderr


def test_a_file_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    assert verify(tmp_path / "nowhere.json").exit_code == 2


def test_by_reference_it_is_the_same_as_by_address(
    run: Run, client: FlaskClient, join: Join
) -> None:
    join(ADA)
    reference = access(client, ADA)["reference"]

    answers = [run("proof", given=f"{whom}\n") for whom in (reference, reference.upper(), ADA)]

    told = [json.loads(answer.stdout) for answer in answers]
    assert [each["record_id"] for each in told] == [reference] * 3
    assert told[0]["ledger"] == told[1]["ledger"] == told[2]["ledger"]


def test_a_look_by_command_is_logged(run: Run, client: FlaskClient, join: Join) -> None:
    join(ADA)
    run("proof", given=f"{ADA}\n")

    looks = [event for event in access(client, ADA)["events"] if event["event"] == "viewed"]
    assert [look["actor"] for look in looks] == ["cli", "dpo"]


def test_of_somebody_erased_a_proof_is_made_and_holds(
    run: Run, client: FlaskClient, join: Join, tmp_path: Path
) -> None:
    join(ADA)
    ask_staff(client, "erasures", ADA)

    file = kept(run("proof", given=f"{ADA}\n"), tmp_path)

    assert b"example.org" not in file.read_bytes()
    assert verify(file).exit_code == 0


def test_the_address_is_not_taken_from_the_arguments(run: Run) -> None:
    assert run("proof", ADA).exit_code == 2


@pytest.mark.requires("R34")
@pytest.mark.parametrize(
    ("locale", "words"),
    [("de", "Nachweis einer Einwilligung"), ("en", "Proof of a consent")],
)
def test_as_a_page_it_is_one_file_in_the_language_of_the_consent(
    run: Run, client: FlaskClient, locale: str, words: str
) -> None:
    sign_up(client, ADA, locale=locale)

    page = run("proof", "--html", given=f"{ADA}\n").stdout

    assert page.startswith("<!DOCTYPE html>")
    assert words in page
    assert "Ada@example.org" in page
    assert "@media print" in page
    assert "stylesheet" not in page
    assert "/static/" not in page
