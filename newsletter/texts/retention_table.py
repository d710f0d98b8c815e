"""How long each class of data is kept, why, and what deletes it: one table, in German and English.

`columns` names whole tables, single columns, or data outside the database; a test checks that every column of the
models has a period.
"""

from __future__ import annotations

from dataclasses import dataclass

from newsletter.texts.bilingual import Text


@dataclass(frozen=True)
class DataClass:
    """A class of data: where it is, what it is, how long it is kept and why, and what deletes it."""

    name: str
    columns: tuple[str, ...]
    data: Text
    period: Text
    reason: Text
    ended_by: Text
    is_personal: bool = True  #: whether a privacy notice has to name it


_WORKER = Text("der Worker, laufend", "the worker, continuously")
_JOB = Text(
    "der nächtliche Löschlauf (newsletter retention)", "the nightly run (newsletter retention)"
)
_ERASING = Text("die Löschung selbst", "the deletion itself")
_NOBODY = Text("niemand: bleibt", "nothing: it stays")
_PROCESS = Text("das Ende des Prozesses", "the end of the process")

_ONE_ADDRESS = (
    "subscription.address",
    "subscription.digest",
    "subscription.nonce",
    "subscription.wording",
    "subscription.locale",
)

TABLE: tuple[DataClass, ...] = (
    DataClass(
        "requests",
        ("subscription.expires_at", "subscription.replaces_ref", *_ONE_ADDRESS),
        Text(
            "Anmeldungen, die niemand bestätigt hat: Adresse, Zeiten, Einwilligungstext",
            "Sign-ups that nobody confirmed: address, times, consent text",
        ),
        Text(
            "bis zum Ende des Bestätigungslinks, dann binnen 24 Stunden gelöscht",
            "until the confirmation link ends, then deleted within 24 hours",
        ),
        Text(
            "Art. 5 Abs. 1 lit. e, Art. 17 Abs. 1 lit. a DSGVO: ohne Bestätigung kein Zweck",
            "Art. 5(1)(e), 17(1)(a) GDPR: without a confirmation there is no purpose",
        ),
        _WORKER,
    ),
    DataClass(
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
            "subscription.audience_tries",
            "subscription.audience_error",
            "subscription.audience_asked",
            "subscription.audience_settles_at",
            "subscription.synced_round",
            *_ONE_ADDRESS,
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
        Text("der Widerruf", "the withdrawal"),
    ),
    DataClass(
        "proofs",
        ("subscription.left_at", *_ONE_ADDRESS),
        Text(
            "Nachweis der früheren Einwilligung nach Widerruf oder Sperre, und jede Sperre, die eine neue "
            "bestätigte Anmeldung aufhebt",
            "Proof of the earlier consent after a withdrawal or block, and every block that a new, "
            "confirmed sign-up ends",
        ),
        Text(
            "bis zum Ende des dritten Kalenderjahres nach der Abmeldung oder Sperre; eine neue, unbestätigte "
            "Anmeldung verlängert das nicht",
            "until the end of the third calendar year after the withdrawal or block; a new, unconfirmed sign-up "
            "does not extend this",
        ),
        Text(
            "Art. 17 Abs. 3 lit. e DSGVO, §§ 195, 199 BGB: Verjährung möglicher Ansprüche",
            "Art. 17(3)(e) GDPR, §§ 195, 199 BGB: when possible claims become time-barred",
        ),
        _JOB,
    ),
    DataClass(
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
        Text("Aufheben oder Löschen", "unblocking or deleting"),
    ),
    DataClass(
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
        Text("das Ende der Einschränkung", "the end of the restriction"),
    ),
    DataClass(
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
        _ERASING,
    ),
    DataClass(
        "quotas",
        ("quota",),
        Text(
            "Wann zuletzt E-Mails an eine Adresse gingen (Kennwert, aus dem sie sich nicht ablesen lässt, und Zeiten)",
            "When e-mails were recently sent to an address (code from which it cannot be read, and times)",
        ),
        Text(
            "24 Stunden; eine Löschung löscht es sofort", "24 hours; a deletion deletes it at once"
        ),
        Text(
            "Art. 6 Abs. 1 lit. f DSGVO: niemand soll mit Bestätigungsmails überhäuft werden",
            "Art. 6(1)(f) GDPR: nobody should be flooded with confirmation e-mails",
        ),
        _WORKER,
    ),
    DataClass(
        "open_erasures",
        ("erasure.address", "erasure.digest", "erasure.settles_at", "erasure.error"),
        Text(
            "Laufende Löschungen: die verschlüsselte Adresse und ihr Kennwert",
            "Deletions under way: the encrypted address and its code",
        ),
        Text(
            "bis Mailchimp die Löschung bestätigt hat", "until Mailchimp has confirmed the deletion"
        ),
        Text(
            "Art. 17 Abs. 1, Art. 19 DSGVO: der Empfänger muss erfahren, wen er löschen soll",
            "Art. 17(1), 19 GDPR: the recipient has to know whom to delete",
        ),
        _WORKER,
    ),
    DataClass(
        "erasures",
        (
            "erasure.id",
            "erasure.ref",
            "erasure.case_id",
            "erasure.keep_block",
            "erasure.found",
            "erasure.found_at_mailchimp",
            "erasure.actor",
            "erasure.requested_at",
            "erasure.try_at",
            "erasure.tries",
            "erasure.mailchimp_done_at",
            "erasure.deleted_at",
            "erasure.file_done_at",
            "erasure.completed_at",
        ),
        Text(
            "Belege erledigter Löschungen: Vorgangsnummer und Zeiten, weder Name noch E-Mail-Adresse",
            "Records of completed deletions: reference number and times, neither name nor e-mail address",
        ),
        Text(
            "bis zum Ende des dritten Kalenderjahres nach der Erledigung",
            "until the end of the third calendar year after their completion",
        ),
        Text(
            "Art. 5 Abs. 2, Art. 12 Abs. 3 DSGVO: Nachweis, dass gelöscht wurde",
            "Art. 5(2), 12(3) GDPR: proof that data was deleted",
        ),
        _JOB,
    ),
    DataClass(
        "wordings",
        ("wording",),
        Text("Einwilligungstexte (nichts Personenbezogenes)", "Consent texts (nothing personal)"),
        Text(
            "solange sie gelten oder ein Nachweis sie nennt; zurückgezogene danach gelöscht bis auf ihren Hash, "
            "damit sie niemand wieder verwendet",
            "as long as they are in use or a proof names them; withdrawn ones are then deleted except for "
            "their hash, so that none is used again",
        ),
        Text(
            "Art. 7 Abs. 1 DSGVO: der Wortlaut gehört zum Nachweis",
            "Art. 7(1) GDPR: the wording is part of the proof",
        ),
        _JOB,
        is_personal=False,
    ),
    DataClass(
        "ledger",
        ("ledger_row", "seal"),
        Text(
            "Protokoll der Ereignisse unter der Vorgangsnummer, mit Siegeln (pseudonym)",
            "The ledger of events under the reference number, with its seals (pseudonymous)",
        ),
        Text(
            "auf Dauer; nach einer Löschung können wir es niemandem mehr zuordnen",
            "permanently; after a deletion we can no longer attribute it to anyone",
        ),
        Text(
            "Art. 5 Abs. 2 DSGVO: Nachweis, dass das Recht eingehalten wurde",
            "Art. 5(2) GDPR: proof that the law was kept",
        ),
        _NOBODY,
    ),
    DataClass(
        "checkpoints",
        ("LEDGER_CHECKPOINTS",),
        Text(
            "Signierte Stände des Protokolls in einer Datei (nichts Personenbezogenes)",
            "Signed heads of the ledger, in a file (nothing personal)",
        ),
        Text("auf Dauer", "for good"),
        Text(
            "Art. 5 Abs. 2, Art. 32 DSGVO: ein verändertes Protokoll fällt auf",
            "Art. 5(2), 32 GDPR: a ledger that was changed is noticed",
        ),
        _NOBODY,
        is_personal=False,
    ),
    DataClass(
        "runs",
        ("retention_run",),
        Text(
            "Was jeder Löschlauf gelöscht hat, in Zahlen",
            "What each nightly run has deleted, in counts",
        ),
        Text("drei Jahre", "three years"),
        Text(
            "Art. 5 Abs. 2 DSGVO: Nachweis, dass gelöscht wird",
            "Art. 5(2) GDPR: proof that data is deleted",
        ),
        _JOB,
        is_personal=False,
    ),
    DataClass(
        "jobs",
        ("job", "notice"),
        Text(
            "Stand der laufenden Arbeiten, welche Worker leben und Hinweise für die Betreuenden"
            " (nichts Personenbezogenes)",
            "State of the recurring jobs, which workers are alive, and notices for staff (nothing personal)",
        ),
        Text(
            "eine Zeile je Arbeit, überschrieben; die eines Workers einen Tag nach seinem Ende;"
            " ein Hinweis, solange er zutrifft",
            "one row for each job, overwritten; that of a worker until a day after its end;"
            " a notice as long as it is true",
        ),
        Text("Betrieb", "operation"),
        _WORKER,
        is_personal=False,
    ),
    DataClass(
        "keyring",
        ("keyring",),
        Text(
            "Zufällige Schlüssel, verschlüsselt mit DATA_KEY (nichts Personenbezogenes)",
            "Random keys, wrapped by DATA_KEY (nothing personal)",
        ),
        Text(
            "solange etwas mit ihnen verschlüsselt oder unterschrieben ist",
            "as long as anything is encrypted or signed with them",
        ),
        Text("Art. 32 DSGVO", "Art. 32 GDPR"),
        Text("newsletter keys rotate", "newsletter keys rotate"),
        is_personal=False,
    ),
    DataClass(
        "client_limits",
        ("STORAGE_URI",),
        Text(
            "Zähler gegen Massenanmeldungen je Absender, mit täglich neuem Schlüssel, mit nichts verknüpft",
            "Counters against mass sign-ups for each client, under a key that changes daily, linked to nothing",
        ),
        Text("höchstens 24 Stunden", "at most 24 hours"),
        Text("Art. 6 Abs. 1 lit. f, Art. 32 DSGVO", "Art. 6(1)(f), 32 GDPR"),
        _PROCESS,
    ),
)
