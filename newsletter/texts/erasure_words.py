"""The texts of an erasure's report and receipt, by code; the codes are part of the public contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from newsletter.texts.bilingual import Text

#: What is deleted at each place.
DELETED: Mapping[str, tuple[tuple[str, Text], ...]] = {
    "database": (
        (
            "address",
            Text(
                "die verschlüsselte Adresse",
                "the encrypted address",
            ),
        ),
        (
            "digest",
            Text(
                "der Kennwert der Adresse, an dem sie erkannt wurde",
                "the code of the address by which it was recognised",
            ),
        ),
        (
            "standing",
            Text(
                "der Stand der Person, hier und bei Mailchimp, mit seinen Zeiten",
                "the status of the person, here and at Mailchimp, with its times",
            ),
        ),
        (
            "consent",
            Text(
                "welcher Einwilligungstext zur Anmeldung gehörte, und in welcher Sprache",
                "which consent text the sign-up was about, and in which language",
            ),
        ),
        (
            "imported",
            Text(
                "was beim Übernehmen aus einem anderen System zur Einwilligung angegeben war",
                "what was stated about the consent when it was taken over from another system",
            ),
        ),
        (
            "nonce",
            Text(
                "die Zufallszahl, die das Protokoll an die Adresse band",
                "the random number that bound the record of events to the address",
            ),
        ),
        (
            "letters",
            Text(
                "die E-Mails an sie, mit allem, was davon als Nachweis aufbewahrt war",
                "the e-mails to it, with everything that was kept of them as evidence",
            ),
        ),
        (
            "quota",
            Text(
                "wann in den letzten 24 Stunden E-Mails an sie geschrieben wurden",
                "when e-mails were written to it in the last 24 hours",
            ),
        ),
        (
            "block",
            Text("die Sperre und ihr Grund", "the block and its reason"),
        ),
    ),
    "mailchimp": (
        (
            "contact",
            Text(
                "der Kontakt mit allen Feldern, endgültig gelöscht (delete-permanent)",
                "the contact with all its fields, permanently deleted (delete-permanent)",
            ),
        ),
        (
            "activity",
            Text(
                "was Mailchimp zum Kontakt aufgezeichnet hat, etwa Öffnungen und Klicks",
                "what Mailchimp recorded about the contact, such as opens and clicks",
            ),
        ),
    ),
    "database file": (
        (
            "remains",
            Text(
                "was gelöschte Zeilen in der Datei und ihrem Write-Ahead-Log hinterlassen (VACUUM)",
                "what deleted rows leave in the file and its write-ahead log (VACUUM)",
            ),
        ),
    ),
}


@dataclass(frozen=True)
class Kept:
    """Something that stays: what, why, by which articles, and for how long."""

    text: Text
    why: Text
    articles: tuple[Text, ...]
    period: Text


def _article(number: str, paragraph: str = "", letter: str = "") -> Text:
    german = f"Art. {number}" + (f" Abs. {paragraph}" if paragraph else "")
    english = f"Art. {number}" + (f"({paragraph})" if paragraph else "")
    if letter:
        german, english = f"{german} lit. {letter}", f"{english}({letter})"
    return Text(f"{german} DSGVO", f"{english} GDPR")


KEPT: Mapping[str, Kept] = {
    "address": Kept(
        Text(
            "die verschlüsselte Adresse und ihr Kennwert",
            "the encrypted address and its code",
        ),
        Text(
            "Mailchimp muss erfahren, wen es löschen soll, und wird gefragt, bis es geschehen ist",
            "Mailchimp has to know whom to delete, and is asked again until it has",
        ),
        (_article("17", "1"), _article("19")),
        Text("bis die Löschung an jedem Ort erledigt ist", "until every place has deleted it"),
    ),
    "ledger": Kept(
        Text(
            "die Ereignisse mit ihren Zeiten, nur unter der Vorgangsnummer",
            "the events with their times, only under the reference number",
        ),
        Text(
            "sie zeigen, dass das Recht eingehalten wurde; nichts darin lässt uns noch auf die Person schließen",
            "they show that the law was kept; nothing in them lets us identify the person any more",
        ),
        (_article("5", "2"), _article("17", "3", "e")),
        Text(
            "auf Dauer; nach der Löschung können wir sie niemandem mehr zuordnen",
            "permanently; after the deletion we can no longer attribute them to anyone",
        ),
    ),
    "block": Kept(
        Text(
            "ein Kennwert, aus dem sich die Adresse nicht ablesen lässt, und der Grund der Sperre",
            "a code from which the address cannot be read, and the reason of the block",
        ),
        Text(
            "damit an die Adresse keine automatischen E-Mails mehr gehen, auch wenn jemand sie einträgt",
            "so that no more automatic e-mails go to the address, even if somebody enters it",
        ),
        (_article("17", "3", "e"), _article("21", "3")),
        Text(
            "bis die Sperre aufgehoben oder gelöscht wird",
            "until the address is unblocked or the block is deleted",
        ),
    ),
    "record": Kept(
        Text(
            "dieser Eintrag: seine Nummer, die Vorgangsnummer, wer ihn veranlasst hat, welche Arten von Daten es gab, "
            "und seine Zeiten",
            "this record: its number, the reference number, who made it, which kinds of data existed, and its "
            "times",
        ),
        Text(
            "er zeigt, dass die Löschung ausgeführt wurde",
            "it shows that the deletion was carried out",
        ),
        (_article("5", "2"), _article("12", "3")),
        Text(
            "bis zum Ende des dritten Kalenderjahres nach der Erledigung",
            "until the end of the third calendar year after it was completed",
        ),
    ),
    "backups": Kept(
        Text(
            "frühere Sicherungskopien der Datenbank, wo der Betreiber welche anlegt",
            "earlier backups of the database, if the operator makes any",
        ),
        Text(
            "sie dienen nur dem Notfall; wird eine eingespielt, wird diese Löschung erneut ausgeführt",
            "they are for emergencies only; when one is restored, this deletion is carried out again",
        ),
        (_article("17", "1"), _article("32", "1", "c")),
        Text(
            "bis zu ihrer turnusmäßigen Löschung nach dem Sicherungsplan des Betreibers",
            "until they are deleted on the operator’s regular schedule",
        ),
    ),
}

RIGHTS = Text(
    "Wer die Löschung verlangt hat, kann Auskunft über all das verlangen, sich bei einer Aufsichtsbehörde beschweren "
    "(Art. 77 DSGVO) und klagen (Art. 79 DSGVO). Zugestellte E-Mails liegen im eigenen Postfach der Person.",
    "The person who requested the deletion can ask for information about all of this, complain to a supervisory "
    "authority (Art. 77 GDPR) and go to court (Art. 79 GDPR). E-mails that were delivered are in the recipient’s own "
    "mailbox.",
)

#: What to say of a place where nobody was known; of Mailchimp also until it has been asked.
NOBODY: Mapping[str, Text] = {
    "database": Text(
        "Hier war unter dieser Adresse niemand bekannt.",
        "Nobody was known here under this address.",
    ),
    "mailchimp": Text(
        "Mailchimp kannte zu dieser Adresse keinen Kontakt.",
        "Mailchimp knew no contact with this address.",
    ),
}
NOT_ASKED_YET = Text(
    "Ob Mailchimp einen Kontakt zu dieser Adresse kennt, ist noch nicht bekannt.",
    "It is not known yet whether Mailchimp knows a contact with this address.",
)

_HERE = {
    True: Text(
        "Alles, was hier unter dieser Vorgangsnummer über eine Person gespeichert war, wurde gelöscht.",
        "Everything stored here about a person under this reference number was deleted.",
    ),
    False: Text(
        "Unter der genannten Adresse war hier niemand bekannt.",
        "Nobody was known here under the address that was given.",
    ),
}
_AT_MAILCHIMP = {
    True: Text(
        "Der Kontakt bei Mailchimp wurde endgültig gelöscht.",
        "The contact at Mailchimp was permanently deleted.",
    ),
    False: NOBODY["mailchimp"],
}
_END = Text(
    "Geblieben ist nur, was unter „kept“ steht. Dieser Beleg enthält weder Namen noch E-Mail-Adresse.",
    "Only what is listed under “kept” remains. This receipt contains neither a name nor an e-mail address.",
)


def statement(*, was_known_here: bool, was_known_at_mailchimp: bool) -> dict[str, str]:
    """What the receipt says in words, by language."""
    sentences = (_HERE[was_known_here], _AT_MAILCHIMP[was_known_at_mailchimp], _END)
    return {"de": " ".join(it.de for it in sentences), "en": " ".join(it.en for it in sentences)}


#: For the report in words.
LABEL: Mapping[str, Text] = {
    "id": Text("Nummer der Löschung", "Number of the deletion"),
    "reference": Text("Vorgangsnummer", "Reference number"),
    "requested": Text("Verlangt", "Requested"),
    "completed": Text("Erledigt", "Completed"),
    "open": Text("noch nicht", "not yet"),
    "deleted": Text("Was gelöscht wurde", "What was deleted"),
    "kept": Text("Was bleibt", "What is kept"),
}
PLACE: Mapping[str, Text] = {
    "database": Text("Hier", "Here"),
    "mailchimp": Text("Bei Mailchimp", "At Mailchimp"),
    "database file": Text("In der Datenbankdatei", "In the database’s file"),
}
STATE: Mapping[str, Text] = {
    "done": Text("erledigt", "done"),
    "waiting": Text("wartet", "waiting"),
    "failed": Text("abgelehnt, wird wieder versucht", "refused, and tried again"),
}
