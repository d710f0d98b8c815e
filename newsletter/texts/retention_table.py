"""How long every class of data is kept, why, and who ends it: one table, in German and English.

`columns` names whole tables, single columns of them, or what lies outside the database; a test holds it against the
models, so that no column is without a period.
"""

from __future__ import annotations

from dataclasses import dataclass

from newsletter.texts.bilingual import Text


@dataclass(frozen=True)
class DataClass:
    """A class of data: where it lies, what it is, how long it is kept and why, and who carries that out."""

    name: str
    columns: tuple[str, ...]
    data: Text
    period: Text
    reason: Text
    ended_by: Text
    is_personal: bool = True  #: what a privacy notice need not name is not


_WORKER = Text("der Worker, laufend", "the worker, all the time")
_JOB = Text(
    "der nächtliche Löschlauf (newsletter retention)", "the nightly run (newsletter retention)"
)
_ERASING = Text("die Löschung selbst", "the erasure itself")
_NOBODY = Text("niemand: bleibt", "nobody: it stays")
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
            "Confirmed consents: address, standing here and at Mailchimp, times, consent text",
        ),
        Text("bis zum Widerruf", "until the consent is withdrawn"),
        Text(
            "Art. 6 Abs. 1 lit. a, Art. 7 Abs. 1 DSGVO: Versand, und Nachweis der Einwilligung",
            "Art. 6(1)(a), 7(1) GDPR: sending, and proving the consent",
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
            "bis zum Ende des dritten Kalenderjahres nach dem Austragen; eine neue, unbestätigte "
            "Anmeldung verlängert das nicht",
            "to the end of the third calendar year after leaving, which a new sign-up that is not "
            "confirmed does not extend",
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
            "Sperren auf Dauer: eine mit einem Schlüssel gebildete Prüfsumme der Adresse (HMAC), Grund und Zeit",
            "Blocks for good: a keyed digest of the address (HMAC), reason and time",
        ),
        Text("bis die Sperre aufgehoben oder gelöscht wird", "until the block is lifted or erased"),
        Text(
            "Art. 21 Abs. 3, Art. 6 Abs. 1 lit. f DSGVO, § 7 UWG: wer nicht mehr angeschrieben werden "
            "will, wird es nicht",
            "Art. 21(3), 6(1)(f) GDPR, § 7 UWG: who does not want to be written to is not",
        ),
        Text("Aufheben oder Löschen", "lifting or erasing"),
    ),
    DataClass(
        "held",
        ("subscription.hold",),
        Text(
            "Eingeschränkte Daten: jede der anderen Arten, solange sie eingeschränkt ist",
            "Data on hold: any of the other classes, as long as it is held",
        ),
        Text(
            "bis zum Ende der Einschränkung; keine Frist läuft vorher ab",
            "until the hold ends; no period ends before",
        ),
        Text(
            "Art. 18 DSGVO: nur die Löschung auf Verlangen geht vor",
            "Art. 18 GDPR: only an erasure that is asked for goes before it",
        ),
        Text("die Freigabe", "the release"),
    ),
    DataClass(
        "letters",
        ("letter",),
        Text(
            "Geschriebene E-Mails und der Nachweis ihrer Annahme durch den Mailserver (verschlüsselt)",
            "Letters written, and the evidence that the mail server took them (encrypted)",
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
            "Wann eine Adresse zuletzt angeschrieben wurde (mit einem Schlüssel gebildete Prüfsumme und Zeiten)",
            "When an address was written to of late (digest and times)",
        ),
        Text("24 Stunden; eine Löschung löscht es sofort", "24 hours; erasing deletes it at once"),
        Text(
            "Art. 6 Abs. 1 lit. f DSGVO: niemand soll mit Bestätigungsmails überhäuft werden",
            "Art. 6(1)(f) GDPR: nobody is to be flooded with confirmation letters",
        ),
        _WORKER,
    ),
    DataClass(
        "open_erasures",
        ("erasure.address", "erasure.digest", "erasure.settles_at", "erasure.error"),
        Text(
            "Laufende Löschungen: die verschlüsselte Adresse und ihre Prüfsumme",
            "Erasures under way: the encrypted address and its digest",
        ),
        Text(
            "bis Mailchimp die Löschung bestätigt hat", "until Mailchimp has confirmed the deletion"
        ),
        Text(
            "Art. 17 Abs. 1, Art. 19 DSGVO: der Empfänger muss erfahren, wen er löschen soll",
            "Art. 17(1), 19 GDPR: the recipient has to be told whom to delete",
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
            "Belege erledigter Löschungen: Vorgangsnummer und Zeiten, nichts Personenbezogenes",
            "Records of completed erasures: reference number and times, nothing personal",
        ),
        Text(
            "bis zum Ende des dritten Kalenderjahres nach der Erledigung",
            "to the end of the third calendar year after their completion",
        ),
        Text(
            "Art. 5 Abs. 2, Art. 12 Abs. 3 DSGVO: Nachweis, dass gelöscht wurde",
            "Art. 5(2), 12(3) GDPR: showing that it was carried out",
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
            "as long as they are in use or a record names them; withdrawn ones are deleted then but for "
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
            "Protokoll der Ereignisse unter der Vorgangsnummer, mit Siegeln (nichts Personenbezogenes)",
            "The ledger of what happened under the reference number, with its seals (nothing personal)",
        ),
        Text("auf Dauer", "for good"),
        Text(
            "Art. 5 Abs. 2 DSGVO: nach einer Löschung führt nichts darin mehr zur Person",
            "Art. 5(2) GDPR: after an erasure nothing in it leads to the person any more",
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
        Text("Was jeder Löschlauf beendet hat, in Zahlen", "What each run has ended, in counts"),
        Text("drei Jahre", "three years"),
        Text(
            "Art. 5 Abs. 2 DSGVO: Nachweis, dass gelöscht wird",
            "Art. 5(2) GDPR: showing that data ends",
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
            "How far recurring work is, which workers live, and notices for staff (nothing personal)",
        ),
        Text(
            "eine Zeile je Arbeit, überschrieben; die eines Workers einen Tag nach seinem Ende;"
            " ein Hinweis, solange er zutrifft",
            "one row for each kind of work, overwritten; a worker's for a day after its end;"
            " a notice for as long as it is true",
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
            "Counters against mass sign-ups for each client, under a key of the day, joined to nothing",
        ),
        Text("höchstens 24 Stunden", "at most 24 hours"),
        Text("Art. 6 Abs. 1 lit. f, Art. 32 DSGVO", "Art. 6(1)(f), 32 GDPR"),
        _PROCESS,
    ),
)
