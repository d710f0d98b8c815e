"""The columns of the tables that are not about people: texts, the ledger, keys, jobs."""

from __future__ import annotations

from newsletter.texts.bilingual import Text
from newsletter.texts.described import Table

WORDING = Table(
    Text(
        "Ein Einwilligungstext, wie er angezeigt wurde; nichts Personenbezogenes",
        "A consent text as it was shown; nothing personal",
    ),
    {
        "hash": Text("Hash des Textes", "hash of the text"),
        "language": Text("Sprache", "language"),
        "text": Text("Wortlaut", "the text, word for word"),
        "published_at": Text("seit wann er gezeigt wird", "since when it is shown"),
        "withdrawn_at": Text("seit wann nicht mehr", "since when it is no longer shown"),
        "agreed": Text("wie oft er bestätigt wurde", "how often it was confirmed"),
    },
)

PRIVACY_NOTICE = Table(
    Text(
        "Eine Kopie der Datenschutzerklärung, die ein Einwilligungstext nennt; nichts Personenbezogenes",
        "A copy of the privacy notice that a consent text names; nothing personal",
    ),
    {
        "wording": Text("Hash des Einwilligungstextes", "hash of the consent text"),
        "since": Text("seit wann sie so lautet", "since when it reads so"),
        "hash": Text("Hash der Kopie", "hash of the copy"),
        "text": Text("Wortlaut", "the text, word for word"),
    },
)

LEDGER_ROW = Table(
    Text(
        "Das Protokoll: was geschehen ist. Wird nie geändert; nach einer Löschung können wir es keiner Person"
        " mehr zuordnen",
        "The ledger of events. Never changed; after a deletion we can no longer attribute it to anyone",
    ),
    {
        "id": Text("laufende Nummer", "running number"),
        "at": Text("Zeitpunkt", "when"),
        "ref": Text("zufällige Vorgangsnummer", "random reference number"),
        "round": Text("Zähler der Anmeldungen", "count of sign-ups"),
        "event": Text(
            "was geschah, zum Beispiel Anmeldung, Versand der Bestätigungsmail, Bestätigung",
            "what happened, such as sign-up, sending of the confirmation e-mail, confirmation",
        ),
        "reason": Text("Grund einer Sperre", "reason for a block"),
        "detail": Text("Kennung dazu, nie ein Text von außen", "a code, never a text from outside"),
        "wording": Text("Hash des Einwilligungstextes", "hash of the consent text"),
        "template": Text(
            "Fassung unseres Formulars, unserer Seite oder E-Mail (Hash ihrer Vorlagen)",
            "version of our form, page or e-mail (hash of its templates)",
        ),
        "actor": Text(
            "Rolle, die es veranlasst hat; kein Name", "the role that requested it; no name"
        ),
        "commitment": Text(
            "Bindung an die Adresse (SHA-256 über Zufallszahl und Adresse); ohne die Zufallszahl nicht mehr zuordenbar",
            "binding to the address (SHA-256 over random number and address); without it we cannot attribute it",
        ),
    },
)

SEAL = Table(
    Text(
        "Siegel über dem Protokoll: eine nachträgliche Änderung fällt auf; nichts Personenbezogenes",
        "Seals over the ledger: a later change is detected; nothing personal",
    ),
    {
        "position": Text("Stelle in der Kette", "place in the chain"),
        "row_id": Text("Nummer der Protokollzeile", "number of the ledger row"),
        "seal": Text(
            "Hash über Zeile und voriges Siegel", "hash over the row and the previous seal"
        ),
        "sealed_at": Text("wann gesiegelt wurde", "when it was sealed"),
    },
)

DAILY_COUNT = Table(
    Text(
        "Wie viele Anmeldungen an einem Tag welchen Schritt erreichten; nur Zahlen",
        "How many sign-ups reached which step on a day; only counts",
    ),
    {
        "day": Text("an welchem Tag", "on which day"),
        "step": Text(
            "Schritt, zum Beispiel angefragt, bestätigt", "the step, such as requested, confirmed"
        ),
        "number": Text("wie viele", "how many"),
    },
)

CALL_COUNT = Table(
    Text(
        "Wie oft E-Mails angenommen wurden oder nicht, und was Mailchimp antwortete; nur Zahlen",
        "How often e-mails were accepted or not, and what Mailchimp answered; only counts",
    ),
    {
        "side": Text("Mailserver oder Mailchimp", "mail server or Mailchimp"),
        "outcome": Text(
            "Ausgang, zum Beispiel gesendet, verschoben, HTTP-Status",
            "the outcome, such as sent, put off, HTTP status",
        ),
        "number": Text("wie oft", "how often"),
    },
)

JOB = Table(
    Text(
        "Was ein Prozess gerade tut; nichts Personenbezogenes",
        "What a process is doing; nothing personal",
    ),
    {
        "name": Text("Name der Aufgabe", "name of the job"),
        "leased_by": Text("Prozess, der sie ausführt", "process that runs it"),
        "leased_until": Text("bis wann er das darf", "until when it may do so"),
        "ran_at": Text("letzte Ausführung", "when it last ran"),
        "cursor": Text("wie weit sie ist", "its progress"),
    },
)

NOTICE = Table(
    Text(
        "Was die Betreuenden wissen sollen; nichts Personenbezogenes",
        "What staff should know; nothing personal",
    ),
    {
        "code": Text("was es ist", "what it is"),
        "owner": Text("welchen Prozess es betrifft", "which process it concerns"),
        "detail": Text("Einzelheiten", "details"),
        "since": Text("seit wann", "since when"),
        "until": Text("bis wann es ohne Erneuerung gilt", "when it ends unless it is renewed"),
    },
)

RETENTION_RUN = Table(
    Text(
        "Ein Lauf der Löschroutine: Nachweis, dass Fristen eingehalten werden; nur Zahlen",
        "A run of the retention job: evidence that periods are kept; only counts",
    ),
    {
        "id": Text("laufende Nummer", "running number"),
        "ran_at": Text("wann", "when"),
        "counts": Text("Zahl der Löschungen je Art", "how many of each class were deleted"),
    },
)

KEYRING = Table(
    Text(
        "Die Schlüssel, verschlüsselt mit DATA_KEY, der außerhalb der Datenbank liegt",
        "The keys, encrypted with DATA_KEY, which is stored outside the database",
    ),
    {
        "id": Text("laufende Nummer", "running number"),
        "purpose": Text("wofür der Schlüssel ist", "what the key is for"),
        "wrapped": Text("der verschlüsselte Schlüssel", "the key, encrypted"),
        "created_at": Text("wann er erzeugt wurde", "when it was created"),
    },
)

ALEMBIC_VERSION = Table(
    Text(
        "Stand des Datenbankschemas; nichts Personenbezogenes",
        "The schema's version; nothing personal",
    ),
    {"version_num": Text("Nummer des Schemas", "number of the schema")},
)
