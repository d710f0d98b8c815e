"""Data about a person that ends with an event, not with time: the person or staff end it."""

from __future__ import annotations

from newsletter.texts.bilingual import Text
from newsletter.texts.described import DataClass

#: Held for one address, whatever its status.
ONE_ADDRESS = (
    "subscription.address",
    "subscription.digest",
    "subscription.nonce",
    "subscription.wording",
    "subscription.imported",
    "subscription.locale",
)

CONSENTS = DataClass(
    "consents",
    (
        "subscription.ref",
        "subscription.status",
        "subscription.reason",
        "subscription.round",
        "subscription.confirmed_round",
        "subscription.since",
        "subscription.hold",
        "subscription.follows_ref",
        "subscription.audience",
        "subscription.audience_try_at",
        "subscription.audience_due_since",
        "subscription.audience_tries",
        "subscription.audience_error",
        "subscription.audience_asked",
        "subscription.audience_settles_at",
        "subscription.synced_round",
        *ONE_ADDRESS,
    ),
    Text(
        "Bestätigte Einwilligungen: Adresse, Stand hier und bei Mailchimp, Zeiten, Einwilligungstext",
        "Confirmed consents: address, status here and at Mailchimp, times, consent text",
    ),
    Text("bis zum Widerruf", "until the consent is withdrawn"),
    Text(
        "Art. 6 Abs. 1 lit. a, Art. 7 Abs. 1 DSGVO: Versand, und Nachweis der Einwilligung",
        "Art. 6(1)(a), 7(1) GDPR: sending, and proof of the consent",
    ),
)

HARD_BLOCKS = DataClass(
    "hard_blocks",
    ("subscription.digest", "subscription.reason"),
    Text(
        "Sperren auf Dauer: ein Kennwert, aus dem sich die Adresse nicht ablesen lässt (HMAC), Grund und Zeit",
        "Permanent blocks: a code from which the address cannot be read (HMAC), reason and time",
    ),
    Text(
        "bis die Sperre aufgehoben oder gelöscht wird",
        "until the address is unblocked or the block is deleted",
    ),
    Text(
        "Art. 21 Abs. 3, Art. 6 Abs. 1 lit. f DSGVO, § 7 UWG: wer nicht mehr angeschrieben werden "
        "will, wird es nicht",
        "Art. 21(3), 6(1)(f) GDPR, § 7 UWG: people who object are not written to",
    ),
)

RESTRICTED = DataClass(
    "held",
    ("subscription.hold",),
    Text(
        "Eingeschränkte Daten: jede der anderen Arten, solange sie eingeschränkt ist",
        "Restricted data: any of the other classes, as long as it is restricted",
    ),
    Text(
        "bis zum Ende der Einschränkung; keine Frist läuft vorher ab",
        "until the restriction ends; no period ends before",
    ),
    Text(
        "Art. 18 DSGVO: nur die Löschung auf Verlangen geht vor",
        "Art. 18 GDPR: only a requested deletion takes precedence",
    ),
)

LETTERS = DataClass(
    "letters",
    ("letter",),
    Text(
        "E-Mails und der Nachweis ihrer Annahme durch den Mailserver (verschlüsselt)",
        "E-mails, and the evidence that the mail server accepted them (encrypted)",
    ),
    Text(
        "so lange wie die Anmeldung, zu der sie gehören",
        "as long as the subscription they belong to",
    ),
    Text(
        "Art. 7 Abs. 1 DSGVO: sie gehören zum Nachweis",
        "Art. 7(1) GDPR: they are part of the proof",
    ),
)
