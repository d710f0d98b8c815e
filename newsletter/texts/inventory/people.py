"""What the tables hold that are about people: each column, and why it is needed."""

from __future__ import annotations

from newsletter.texts.bilingual import Text
from newsletter.texts.inventory.table import Table

_DIGEST = Text(
    "Prüfsumme der Adresse (HMAC-SHA-256 mit geheimem Schlüssel); um sie wiederzuerkennen, ohne sie zu entschlüsseln",
    "keyed digest of the address (HMAC-SHA-256 with a secret key); to recognise it without decrypting it",
)

SUBSCRIPTION = Table(
    Text(
        "Eine E-Mail-Adresse und wo sie steht: angefragt, bestätigt oder gesperrt",
        "One e-mail address and where it stands: requested, confirmed or blocked",
    ),
    {
        "ref": Text(
            "zufällige Vorgangsnummer; einzige Kennung in Protokoll und Schreiben",
            "random reference number; the only identity in ledger and letters",
        ),
        "digest": _DIGEST,
        "address": Text(
            "E-Mail-Adresse, verschlüsselt (AES-256-GCM); für Bestätigungsmail, Versand, Auskunft und Nachweis; leer,"
            " sobald nur noch die Sperre gebraucht wird",
            "e-mail address, encrypted (AES-256-GCM); for the confirmation letter, mailings, access and proof; empty"
            " as soon as the block alone is needed",
        ),
        "status": Text(
            "Stand: angefragt, bestätigt, gesperrt, erneut angefragt",
            "where it stands: pending, confirmed, blocked, returning",
        ),
        "reason": Text("Grund einer Sperre", "reason of a block"),
        "round": Text(
            "Zähler der Anmeldungen dieser Adresse; damit kein alter Link eine Sperre aufhebt",
            "count of this address's sign-ups; so that no old link undoes a block",
        ),
        "confirmed_round": Text(
            "zuletzt bestätigte Anmeldung; sagt, ob eine Einwilligung nachzuweisen ist",
            "the sign-up that was confirmed last; tells whether there is a consent to prove",
        ),
        "since": Text("seit wann der Stand gilt", "since when it stands there"),
        "expires_at": Text(
            "Ende der Frist zur Bestätigung; danach wird gelöscht",
            "when the time to confirm ends; then it is deleted",
        ),
        "left_at": Text(
            "Zeitpunkt von Abmeldung oder Sperre; davon hängt die Aufbewahrung des Nachweises ab",
            "when the person left or was blocked; how long the proof is kept depends on it",
        ),
        "locale": Text("Sprache des Formulars", "language of the form"),
        "wording": Text(
            "Prüfsumme des Einwilligungstextes, dem zugestimmt wurde",
            "hash of the consent text that was agreed to",
        ),
        "nonce": Text(
            "Zufallszahl, die das Protokoll an die Adresse bindet; mit ihr endet jeder Bezug",
            "random number that binds the ledger to the address; when it goes, nothing refers to the person",
        ),
        "hold": Text(
            "Einschränkung der Verarbeitung verlangt (Art. 18 DSGVO)",
            "restriction of processing was asked for (Art. 18 GDPR)",
        ),
        "replaces_ref": Text(
            "Vorgangsnummer der Adresse, die durch diese berichtigt wird",
            "reference of the address that this one is to correct",
        ),
        "follows_ref": Text(
            "Vorgangsnummer der früheren Adresse derselben Person; für Auskunft und Löschung",
            "reference of the same person's earlier address; for access and erasure",
        ),
        "audience": Text(
            "zuletzt bekannter Stand bei Mailchimp", "where it stands at Mailchimp, as last known"
        ),
        "audience_try_at": Text(
            "wann Mailchimp wieder aufgerufen wird", "when Mailchimp is called again"
        ),
        "audience_tries": Text("Zahl der Versuche", "number of tries"),
        "audience_error": Text(
            "Fehlerkennung von Mailchimp, ohne Adresse", "Mailchimp's error as a code, no address"
        ),
        "audience_asked": Text(
            "was ein Aufruf mit unbekanntem Ausgang verlangt hat",
            "what a call asked for whose outcome is not known",
        ),
        "audience_settles_at": Text(
            "bis wann ein solcher Aufruf noch ausgeführt werden kann",
            "until when such a call may still be carried out",
        ),
        "synced_round": Text(
            "Anmeldung, deren Übernahme Mailchimp bestätigt hat",
            "the sign-up that Mailchimp acknowledged",
        ),
    },
)

LETTER = Table(
    Text(
        "Eine E-Mail dieses Dienstes: zu senden oder als Nachweis des Versands",
        "One e-mail of this service: to be sent, or kept as evidence that it was",
    ),
    {
        "number": Text("laufende Nummer, für die Reihenfolge", "running number, for the order"),
        "id": Text("zufällige Nummer", "random number"),
        "ref": Text("Vorgangsnummer der Person", "the person's reference number"),
        "round": Text("Anmeldung, zu der sie gehört", "the sign-up it belongs to"),
        "kind": Text("Anlass", "what it is for"),
        "wording": Text(
            "Prüfsumme des Einwilligungstextes, der in ihr steht",
            "hash of the consent text that stands in it",
        ),
        "template": Text("Fassung der Vorlage", "version of the template"),
        "written_at": Text(
            "Zeitpunkt der Anfrage, die sie auslöste", "when what it answers was asked for"
        ),
        "due_at": Text("wann sie zu senden ist", "when it is to be sent"),
        "leased_by": Text(
            "Prozess, der sie gerade sendet", "the process that is sending it at the moment"
        ),
        "leased_until": Text("bis wann er das darf", "until when it may"),
        "tries": Text("Zahl der Versuche", "number of tries"),
        "copies": Text("wie oft sie angekommen sein kann", "how many times it may have arrived"),
        "error": Text("Fehlerkennung des Mailservers", "the mail server's error as a code"),
        "sent_at": Text(
            "wann der Mailserver sie angenommen hat; Teil des Nachweises",
            "when the mail server accepted it; part of the proof",
        ),
        "failed_at": Text("wann sie aufgegeben wurde", "when it was given up"),
        "evidence": Text(
            "Message-ID, Antwort des Mailservers, Betreff und voller Text ohne die Links, die der Person allein"
            " gehören, und eingesetzte Werte samt Adresse, verschlüsselt (AES-256-GCM); um die gesendete E-Mail"
            " vorzulegen",
            "Message-ID, the mail server's reply, subject and full text without the links that are the person's"
            " alone, and the values filled in, the address among them, encrypted (AES-256-GCM); to show the letter"
            " as it was sent",
        ),
    },
)

ERASURE = Table(
    Text(
        "Eine verlangte Löschung, bis Mailchimp sie bestätigt hat; danach nur noch die Quittung",
        "An erasure that was asked for, until Mailchimp has confirmed it; then the receipt alone",
    ),
    {
        "id": Text("zufällige Nummer der Löschung", "random number of the erasure"),
        "ref": Text(
            "Vorgangsnummer, unter der sie im Protokoll steht",
            "the reference it stands under in the ledger",
        ),
        "case_id": Text(
            "zufällige Nummer, die alle Löschungen einer Person verbindet",
            "random number that all erasures of one person share",
        ),
        "digest": Text(f"{_DIGEST.de}; leer, sobald erledigt", f"{_DIGEST.en}; empty when done"),
        "address": Text(
            "E-Mail-Adresse, verschlüsselt; um sie auch bei Mailchimp zu löschen; leer, sobald erledigt",
            "e-mail address, encrypted; to have Mailchimp delete it, too; empty when done",
        ),
        "keep_block": Text(
            "ob die Person gesperrt bleiben will", "whether the person wants to stay blocked"
        ),
        "actor": Text("Rolle, die sie veranlasst hat", "the role that asked for it"),
        "requested_at": Text("wann sie verlangt wurde", "when it was asked for"),
        "settles_at": Text(
            "bis wann ein früherer Aufruf noch wirken kann",
            "until when an earlier call may still take effect",
        ),
        "try_at": Text("wann der nächste Versuch ist", "when the next try is"),
        "tries": Text("Zahl der Versuche", "number of tries"),
        "error": Text("Fehlerkennung von Mailchimp", "Mailchimp's error as a code"),
        "mailchimp_done_at": Text("wann Mailchimp bestätigt hat", "when Mailchimp confirmed"),
        "deleted_at": Text("wann hier gelöscht wurde", "when it was deleted here"),
        "file_done_at": Text(
            "wann auch die Datenbankdatei nichts mehr enthielt (SQLite)",
            "when the database's file held nothing more, either (SQLite)",
        ),
        "completed_at": Text("wann alles erledigt war", "when all of it was done"),
    },
)

QUOTA = Table(
    Text(
        "Wie oft an eine Adresse geschrieben wurde: schützt vor Belästigung durch fremde Anmeldungen",
        "How often an address was written to: keeps strangers' sign-ups from becoming a nuisance",
    ),
    {
        "digest": _DIGEST,
        "letters": Text(
            "Zeitpunkte und Nummern der E-Mails eines Tages", "times and numbers of a day's letters"
        ),
        "touched_at": Text("letzte Anfrage", "the last request"),
    },
)
