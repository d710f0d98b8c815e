"""Data that running the service needs and that nobody deletes by a period: ledger, jobs, keys, client limits."""

from __future__ import annotations

from newsletter.texts.bilingual import Text
from newsletter.texts.described import DataClass

LEDGER = DataClass(
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
)

CHECKPOINTS = DataClass(
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
    is_personal=False,
)

COUNTS = DataClass(
    "counts",
    ("daily_count", "call_count"),
    Text(
        "Zahl der Anmeldungen, Bestätigungen und Ausfälle je Tag, der E-Mails und der Aufrufe bei Mailchimp"
        " (nichts Personenbezogenes)",
        "How many sign-ups, confirmations and failures there were each day, how many e-mails and calls to"
        " Mailchimp (nothing personal)",
    ),
    Text("auf Dauer", "permanently"),
    Text("Betrieb", "operation"),
    is_personal=False,
)

JOBS = DataClass(
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
    is_personal=False,
)

KEYRING = DataClass(
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
    is_personal=False,
)

CLIENT_LIMITS = DataClass(
    "client_limits",
    ("STORAGE_URI",),
    Text(
        "Zähler gegen Massenanmeldungen je Absender, mit täglich neuem Schlüssel, mit nichts verknüpft",
        "Counters against mass sign-ups for each client, under a key that changes daily, linked to nothing",
    ),
    Text("höchstens 24 Stunden", "at most 24 hours"),
    Text("Art. 6 Abs. 1 lit. f, Art. 32 DSGVO", "Art. 6(1)(f), 32 GDPR"),
)
