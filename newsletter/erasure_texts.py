"""What the report of an erasure says, by codes that stay: English for staff, the receipt's statement for everybody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

#: What is deleted, by place.
DELETED: Mapping[str, tuple[tuple[str, str], ...]] = {
    "database": (
        ("address", "the address, encrypted, and the keyed digest it was recognised by"),
        ("standing", "where the person stood, here and at Mailchimp, with its times"),
        ("consent", "which consent text was agreed to, and in which language"),
        ("nonce", "the random number that bound the record of events to the address"),
        ("letters", "the letters written to it, with what is kept of them as evidence"),
        ("quota", "how many letters it was written of late"),
        ("block", "the block, unless a digest was asked to be kept"),
    ),
    "mailchimp": (
        ("contact", "the contact with all its fields, deleted for good (delete-permanent)"),
        ("activity", "what Mailchimp recorded of the contact, such as opens and clicks"),
    ),
    "database file": (
        ("remains", "what deleted rows leave in the file and its write-ahead log (VACUUM)"),
    ),
}


@dataclass(frozen=True)
class Kept:
    """Something that stays: what, why, by which articles, and for how long."""

    text: str
    why: str
    articles: tuple[str, ...]
    period: str


KEPT: Mapping[str, Kept] = {
    "address": Kept(
        "the address, encrypted, and its keyed digest",
        "Mailchimp has to be told whom to forget, and asked again until it has",
        ("Art. 17(1) GDPR", "Art. 19 GDPR"),
        "until every place is done",
    ),
    "ledger": Kept(
        "what happened and when, under the reference number alone",
        "it shows that the law was kept; nothing in it leads to the person any more, who alone holds the number",
        ("Art. 5(2) GDPR", "Art. 17(3)(e) GDPR"),
        "for good: it holds nothing personal",
    ),
    "block": Kept(
        "a keyed digest of the address, with the reason of the block",
        "so that nobody writes to the address again",
        ("Art. 17(3)(e) GDPR", "Art. 21(3) GDPR"),
        "until the block is lifted or erased",
    ),
    "record": Kept(
        "this record: its number, the reference number, who entered it, and its times",
        "it shows that the request was carried out",
        ("Art. 5(2) GDPR", "Art. 12(3) GDPR"),
        "to the end of the third calendar year after it was completed",
    ),
    "backups": Kept(
        "copies of the database made before, where the operator makes any",
        "they are for emergencies alone; one that is restored has this erasure carried out anew",
        ("Art. 17(1) GDPR", "Art. 32(1)(c) GDPR"),
        "until they end, by the operator's plan for backups",
    ),
}

RIGHTS = (
    "Whoever asked for the erasure may be told all of this, may complain to a supervisory authority (Art. 77 GDPR), "
    "and may go to court (Art. 79 GDPR). Letters that were delivered lie in the recipient's own mailbox."
)

STATEMENT: Mapping[str, str] = {
    "de": "Alles, was unter dieser Vorgangsnummer über eine Person gespeichert war, wurde an den genannten Orten "
    "gelöscht. Geblieben ist nur, was unter „kept“ steht. Dieser Beleg enthält keine personenbezogenen Daten.",
    "en": "All that was held about a person under this reference number was erased at the places named. Nothing "
    "stays but what stands under “kept”. This receipt holds no personal data.",
}
