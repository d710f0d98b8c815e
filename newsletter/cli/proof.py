"""The proof of a consent: made with the database; checked without it and without settings."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import BinaryIO

import click
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from flask import render_template

from newsletter import config
from newsletter.cli.application import ACTOR, only_line, with_app
from newsletter.cli.terminal import one_line
from newsletter.config import Settings
from newsletter.domain.address import Address
from newsletter.domain.errors import InvalidAddress, WrongDocument
from newsletter.rights.proof import check, page
from newsletter.rights.proof import document as proofs
from newsletter.rights.proof.check import Findings
from newsletter.storage.keys import signing
from newsletter.storage.keys.signing import Document
from newsletter.web.samples.rendering import sample_app

_STYLE = Path(__file__).parent.parent / "web" / "static" / "newsletter.css"
_REFERENCE = re.compile(r"[0-9a-f]{32}")
_NEITHER = "This is neither a reference number (32 of 0-9 and a-f) nor an e-mail address."
_PEM = re.compile(rb"-----BEGIN [^-]*-----.*?-----END [^-]*-----", re.DOTALL)
_WHOSE_KEY = """\
WHOSE KEY THIS IS WAS NOT CHECKED. Anybody can sign such a file with a key of
their own: it is only as good as the fingerprint above. Compare that with the one
that the issuer has published, or give their key by --key."""
_NO_KEY = "The file given by --key holds no public key for Ed25519 (PEM)."


@click.group(invoke_without_command=True)
@click.option("--html", is_flag=True, help="A page to print instead of JSON.")
@click.pass_context
def proof(context: click.Context, *, html: bool) -> None:
    """Print the signed proof of a consent.

    The reference number or the address is read from standard input. The ledger records that the proof was read. Keep
    the file as it is: `newsletter proof verify` finds every change.
    """
    if context.invoked_subcommand is None:
        _prove(html=html)


@with_app
def _prove(*, html: bool) -> None:
    document = _proof_of(only_line("Reference number or e-mail address"))
    if html:
        click.echo(_as_file(document, config.current()))
        return
    # Canonical, without redundant characters, so that any change is found.
    click.echo(signing.canonical(document).decode(), nl=sys.stdout.isatty())


def _proof_of(whom: str) -> Document:
    if _REFERENCE.fullmatch(whom.lower()):
        return proofs.of(whom.lower(), actor=ACTOR)
    try:
        address = Address.parse_leniently(whom)
    except InvalidAddress:
        raise click.ClickException(_NEITHER) from None
    return proofs.of_address(address, actor=ACTOR)


@proof.command()
@click.argument("file", type=click.File("rb"))
@click.option(
    "--key",
    type=click.File("rb"),
    help="A file with the issuer's published public keys.",
)
def verify(*, file: BinaryIO, key: BinaryIO | None) -> None:
    """Check a proof or a receipt, without settings or database.

    FILE comes from `newsletter proof`, the admin endpoint or a download; - is standard input. --key names a file
    with what the issuer's `newsletter keys public` prints, earlier keys included.
    """
    try:
        found = check.check(file.read(), _public_keys(key.read()) if key else ())
    except WrongDocument as error:
        raise click.ClickException(one_line(error)) from None
    _report(found, has_key=key is not None)


def _public_keys(file: bytes) -> list[Ed25519PublicKey]:
    """All PEM keys in a file, between any other text."""
    keys = []
    for pem in _PEM.findall(file):
        try:
            key = load_pem_public_key(pem)
        except (ValueError, UnsupportedAlgorithm):
            key = None
        if not isinstance(key, Ed25519PublicKey):
            raise click.ClickException(_NO_KEY)
        keys.append(key)
    if not keys:
        raise click.ClickException(_NO_KEY)
    return keys


def _report(found: Findings, *, has_key: bool) -> None:
    """Print the findings; the verdict comes last, so that no text of a file can follow it."""
    for sentence in found.passed:
        click.echo(one_line(sentence))
    if found.key is not None:
        click.echo(f"The key's fingerprint: {signing.fingerprint(found.key)}")
    if found.failed:
        raise click.ClickException("\n       ".join(map(one_line, found.failed)))
    if has_key:
        click.echo("Nothing in it was changed.")
    else:
        click.echo(f"\n{_WHOSE_KEY}\n")
        click.echo("Nothing in it was changed since it was signed by this key.")


def _as_file(document: Document, settings: Settings) -> str:
    """The page as one file, in the language of the consent."""
    app = sample_app(settings)
    values = page.values_of(document, style=_STYLE.read_text("utf-8"))
    with app.test_request_context(query_string={"locale": document["language"]}):
        return render_template(page.TEMPLATE, **values)
