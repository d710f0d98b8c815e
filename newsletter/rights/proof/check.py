"""Checking a proof or a receipt without us: no database, no settings, nothing but the file and a published key.

Checked are: the signature; each ledger row's seal and place in the chain, and that the rows are bound to the address
(chain.py); that the contents agree with the rows (contents.py). Contents that no row confirms are listed (unsealed.py).
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import ValidationError

from newsletter.domain.errors import WrongDocument
from newsletter.rights.proof import chain, contents, unsealed
from newsletter.rights.proof.schema import Consent
from newsletter.storage.keys import signing


@dataclass
class Findings:
    """The checks that passed, and those that failed; `key` is the signer's key if the signature is valid."""

    passed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    key: Ed25519PublicKey | None = None


def check(octets: bytes, trusted: Collection[Ed25519PublicKey] = ()) -> Findings:
    """Check a file; raise WrongDocument if it is not a proof or receipt.

    `trusted` are the issuer's public keys, present and earlier, if the caller has them from the issuer.
    """
    document = _read(octets)
    found = Findings()
    _check_signature(document, trusted, found)
    match document.get("schema"):
        case "doi-consent/1":
            consent = _parse(document)
            for record in (consent, *consent.related):
                found.failed += chain.failures_in(record)
                found.failed += contents.failures_in(record)
            found.passed += _in_words(consent)
        case "doi-erasure/1":
            found.passed.append("Signed by the issuer, not sealed: all that it says.")
        case _:
            raise WrongDocument(
                "It is neither a proof nor a receipt: its schema is not known here."
            )
    return found


def _read(octets: bytes) -> dict[str, Any]:
    try:
        document = json.loads(octets.decode(), object_pairs_hook=_each_once)
        json.dumps(document, ensure_ascii=False).encode()  # raises for a lone surrogate
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise WrongDocument(f"It is no JSON ({where}).") from error
    except UnicodeDecodeError as error:
        raise WrongDocument(f"It is no text in UTF-8 (octet {error.start}).") from error
    except (ValueError, RecursionError) as error:
        raise WrongDocument("It is no JSON that can be read.") from error
    if not isinstance(document, dict):
        raise WrongDocument("It is no JSON object.")
    return document


def _each_once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; one with a duplicate name could show readers something else than is checked (RFC 8259 § 4)."""
    read = dict(members)
    if len(read) < len(members):
        raise WrongDocument("It names something twice, so that it can be read in two ways.")
    return read


def _check_signature(
    document: dict[str, Any], trusted: Collection[Ed25519PublicKey], found: Findings
) -> None:
    try:
        found.key = signing.verify(document)
    except WrongDocument as error:
        found.failed.append(str(error))
        return
    if not trusted:
        found.passed.append("The signature fits all that it says.")
    elif found.key not in trusted:
        given = "not by the key given" if len(trusted) == 1 else "by none of the keys given"
        found.failed.append(f"It is signed, but {given}.")
    else:
        given = "the key given" if len(trusted) == 1 else "one of the keys given"
        found.passed.append(f"The signature fits all that it says, and is by {given}.")


def _parse(document: dict[str, Any]) -> Consent:
    try:
        return Consent.model_validate(document)
    except ValidationError as error:
        where = ".".join(map(str, error.errors(include_input=False)[0]["loc"]))
        raise WrongDocument(f"It is not made as a proof is: see {where}.") from error


def _in_words(consent: Consent) -> list[str]:
    records = (consent, *consent.related)
    entries = [entry for record in records for entry in record.ledger]
    sealed = sum(entry.seal is not None for entry in entries)
    waiting = len(entries) - sealed
    return [
        f"Ledger rows: {len(entries)}, of which {sealed} are sealed and {waiting} are not sealed yet.",
        f"Rows bound to the address: {sum(map(chain.bound_rows, records))}.",
        f"Consent texts: {sum(len(record.wordings) for record in records)}.",
        f"Signed by the issuer, not sealed: {', '.join(unsealed.paths_in(consent)) or 'nothing'}.",
    ]
