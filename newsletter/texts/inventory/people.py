"""The columns of the tables about people, and why each is needed."""

from __future__ import annotations

from newsletter.texts.bilingual import Text
from newsletter.texts.described import Table

_DIGEST = Text(
    "Kennwert der Adresse, aus dem sie sich nicht ablesen lässt (HMAC-SHA-256 mit geheimem Schlüssel); um sie"
    " wiederzuerkennen, ohne sie zu entschlüsseln",
    "code from which the address cannot be read (HMAC-SHA-256 with a secret key); to recognise the address without"
    " decrypting it",
)

SUBSCRIPTION = Table(
    Text(
        "Eine E-Mail-Adresse und ihr Stand: angefragt, bestätigt oder gesperrt",
        "One e-mail address and its status: requested, confirmed or blocked",
    ),
    {
        "ref": Text(
            "zufällige Vorgangsnummer; einzige Kennung in Protokoll und E-Mails",
            "random reference number; the only identifier in ledger and e-mails",
        ),
        "digest": _DIGEST,
        "address": Text(
            "E-Mail-Adresse, verschlüsselt (AES-256-GCM); für Bestätigungsmail, Versand, Auskunft und Nachweis; leer,"
            " sobald nur noch die Sperre gebraucht wird",
            "e-mail address, encrypted (AES-256-GCM); for the confirmation e-mail, mailings, access and proof; empty"
            " as soon as only the block is needed",
        ),
        "status": Text(
            "Stand: angefragt, bestätigt, gesperrt, erneut angefragt",
            "status: pending, confirmed, blocked, returning",
        ),
        "reason": Text("Grund einer Sperre", "reason for a block"),
        "round": Text(
            "Zähler der Anmeldungen dieser Adresse; damit kein alter Link eine Sperre aufhebt",
            "number of sign-ups of this address; so that no old link ends a block",
        ),
        "confirmed_round": Text(
            "zuletzt bestätigte Anmeldung; sagt, ob eine Einwilligung nachzuweisen ist",
            "the sign-up confirmed last; shows whether there is a consent to prove",
        ),
        "since": Text("seit wann der Stand gilt", "since when the status applies"),
        "expires_at": Text(
            "Ende der Frist zur Bestätigung; danach wird gelöscht",
            "end of the period for confirmation; then it is deleted",
        ),
        "left_at": Text(
            "Zeitpunkt von Abmeldung oder Sperre; davon hängt die Aufbewahrung des Nachweises ab",
            "when the person unsubscribed or was blocked; the retention of the proof depends on it",
        ),
        "locale": Text("Sprache des Formulars", "language of the form"),
        "wording": Text(
            "Hash des Einwilligungstextes, dem zugestimmt wurde",
            "hash of the consent text that was agreed to",
        ),
        "nonce": Text(
            "Zufallszahl, die das Protokoll an die Adresse bindet; ist sie gelöscht, können wir das Protokoll niemandem"
            " mehr zuordnen",
            "random number that binds the ledger to the address; once it is deleted, we can no longer attribute the"
            " ledger to anyone",
        ),
        "hold": Text(
            "Einschränkung der Verarbeitung verlangt (Art. 18 DSGVO)",
            "restriction of processing was requested (Art. 18 GDPR)",
        ),
        "imported": Text(
            "was beim Übernehmen aus einem anderen System zur Einwilligung angegeben war: Zeiten, Quelle, Vermerk,"
            " Datei und Zeile, verschlüsselt (AES-256-GCM); um die Einwilligung so weit nachzuweisen, wie es belegt"
            " ist",
            "what was stated about the consent when it was taken over from another system: times, source, note, file"
            " and row, encrypted (AES-256-GCM); to prove the consent as far as there is evidence",
        ),
        "replaces_ref": Text(
            "Vorgangsnummer der Adresse, die durch diese berichtigt wird",
            "reference number of the address that this one will replace",
        ),
        "follows_ref": Text(
            "Vorgangsnummer der früheren Adresse derselben Person; für Auskunft und Löschung",
            "reference number of the same person's earlier address; for access and deletion",
        ),
        "audience": Text("zuletzt bekannter Stand bei Mailchimp", "last known status at Mailchimp"),
        "audience_try_at": Text(
            "wann Mailchimp wieder aufgerufen wird", "when Mailchimp is called next"
        ),
        "audience_due_since": Text(
            "seit wann ein anderer Stand bei Mailchimp gewollt ist",
            "since when another status at Mailchimp is wanted",
        ),
        "audience_tries": Text("Zahl der Versuche", "number of tries"),
        "audience_error": Text(
            "Fehlerkennung von Mailchimp, ohne Adresse", "Mailchimp's error code, without address"
        ),
        "audience_asked": Text(
            "was ein Aufruf mit unbekanntem Ausgang verlangt hat",
            "what was requested by a call with unknown outcome",
        ),
        "audience_settles_at": Text(
            "bis wann ein solcher Aufruf noch ausgeführt werden kann",
            "until when such a call may still be carried out",
        ),
        "synced_round": Text(
            "Anmeldung, deren Übernahme Mailchimp bestätigt hat",
            "the sign-up that Mailchimp has acknowledged",
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
            "Hash des Einwilligungstextes in ihr",
            "hash of the consent text in it",
        ),
        "template": Text("Fassung der Vorlage", "version of the template"),
        "written_at": Text(
            "Zeitpunkt der Anfrage, die sie auslöste", "time of the request that caused it"
        ),
        "due_at": Text("wann sie zu senden ist", "when it will be sent"),
        "leased_by": Text("Prozess, der sie gerade sendet", "process that is sending it"),
        "leased_until": Text("bis wann er das darf", "until when it may do so"),
        "tries": Text("Zahl der Versuche", "number of tries"),
        "copies": Text("wie oft sie angekommen sein kann", "how often it may have arrived"),
        "error": Text("Fehlerkennung des Mailservers", "error code of the mail server"),
        "sent_at": Text(
            "wann der Mailserver sie angenommen hat; Teil des Nachweises",
            "when the mail server accepted it; part of the proof",
        ),
        "failed_at": Text("wann sie aufgegeben wurde", "when it was given up"),
        "evidence": Text(
            "Message-ID, Antwort des Mailservers, Betreff und voller Text ohne die Links, die der Person allein"
            " gehören, und eingesetzte Werte samt Adresse, verschlüsselt (AES-256-GCM); um die gesendete E-Mail"
            " vorzulegen",
            "Message-ID, the mail server's reply, subject and full text without the person's own links, and the values"
            " filled in, including the address, encrypted (AES-256-GCM); to show the e-mail as it was sent",
        ),
    },
)

ERASURE = Table(
    Text(
        "Eine verlangte Löschung, bis Mailchimp sie bestätigt hat; danach nur noch der Beleg",
        "A requested deletion, until Mailchimp has confirmed it; after that, only the receipt",
    ),
    {
        "id": Text("zufällige Nummer der Löschung", "random number of the deletion"),
        "ref": Text(
            "Vorgangsnummer, unter der sie im Protokoll steht",
            "its reference number in the ledger",
        ),
        "case_id": Text(
            "zufällige Nummer, die alle Löschungen einer Person verbindet",
            "random number shared by all deletions of one person",
        ),
        "digest": Text(f"{_DIGEST.de}; leer, sobald erledigt", f"{_DIGEST.en}; empty once done"),
        "address": Text(
            "E-Mail-Adresse, verschlüsselt; um sie auch bei Mailchimp zu löschen; leer, sobald erledigt",
            "e-mail address, encrypted; to delete it at Mailchimp, too; empty once done",
        ),
        "keep_block": Text(
            "ob die Person gesperrt bleiben will",
            "whether the person wants the address to stay blocked",
        ),
        "found": Text(
            "was hier zu löschen war, als Kennungen ohne Inhalt; damit der Beleg nur nennt, was es gab",
            "what there was to delete here, as codes without content; so that the receipt names only what existed",
        ),
        "found_at_mailchimp": Text(
            "ob Mailchimp den Kontakt kannte", "whether Mailchimp knew the contact"
        ),
        "actor": Text("Rolle, die sie veranlasst hat", "the role that requested it"),
        "requested_at": Text("wann sie verlangt wurde", "when it was requested"),
        "settles_at": Text(
            "bis wann ein früherer Aufruf noch wirken kann",
            "until when an earlier call may still take effect",
        ),
        "try_at": Text("wann der nächste Versuch ist", "when the next try is"),
        "tries": Text("Zahl der Versuche", "number of tries"),
        "error": Text("Fehlerkennung von Mailchimp", "Mailchimp's error code"),
        "mailchimp_done_at": Text("wann Mailchimp bestätigt hat", "when Mailchimp confirmed"),
        "deleted_at": Text("wann hier gelöscht wurde", "when it was deleted here"),
        "file_done_at": Text(
            "wann auch die Datenbankdatei nichts mehr enthielt (SQLite)",
            "when the database file held nothing more, either (SQLite)",
        ),
        "completed_at": Text("wann alles erledigt war", "when everything was done"),
    },
)

QUOTA = Table(
    Text(
        "Wie oft an eine Adresse geschrieben wurde: schützt vor Belästigung durch fremde Anmeldungen",
        "How often an address was written to: protects against harassment by strangers' sign-ups",
    ),
    {
        "digest": _DIGEST,
        "letters": Text(
            "Zeitpunkte und Nummern der E-Mails eines Tages",
            "times and numbers of the e-mails of a day",
        ),
        "touched_at": Text("letzte Anfrage", "the last request"),
    },
)

INQUIRY = Table(
    Text(
        "Eine Adresse, nach der die Verwaltung fragt und die hier unbekannt ist: Mailchimp wird gefragt. Nach einem Tag"
        " gelöscht",
        "An address that staff ask about and that is unknown here: Mailchimp is asked. Deleted after a day",
    ),
    {
        "id": Text("zufällige Nummer der Anfrage", "random number of the inquiry"),
        "digest": _DIGEST,
        "address": Text(
            "die E-Mail-Adresse, verschlüsselt; um Mailchimp zu fragen",
            "the e-mail address, encrypted; to ask Mailchimp",
        ),
        "actor": Text("Rolle, die gefragt hat; kein Name", "the role that asked; no name"),
        "asked_at": Text("wann gefragt wurde", "when it was asked"),
        "place": Text("was Mailchimp geantwortet hat", "what Mailchimp answered"),
        "error": Text("warum noch keine Antwort da ist", "why there is no answer yet"),
        "tries": Text("wie oft Mailchimp gefragt wurde", "how often Mailchimp was asked"),
        "try_at": Text("wann es wieder versucht wird", "when it is tried again"),
        "has_mail_server": Text(
            "ob die Domain einen Mailserver hat", "whether the domain has a mail server"
        ),
    },
)
