"""What the report of an erasure says, by codes that stay: for staff and whoever asked, and the receipt's statement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from newsletter.texts.bilingual import Text

#: What is deleted, by place.
DELETED: Mapping[str, tuple[tuple[str, Text], ...]] = {
    "database": (
        (
            "address",
            Text(
                "die Adresse, verschlüsselt, und die Prüfsumme mit Schlüssel, an der sie erkannt wurde",
                "the address, encrypted, and the keyed digest it was recognised by",
            ),
        ),
        (
            "standing",
            Text(
                "der Stand der Person, hier und bei Mailchimp, mit seinen Zeiten",
                "where the person stood, here and at Mailchimp, with its times",
            ),
        ),
        (
            "consent",
            Text(
                "welchem Einwilligungstext zugestimmt wurde, und in welcher Sprache",
                "which consent text was agreed to, and in which language",
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
                "the letters written to it, with what is kept of them as evidence",
            ),
        ),
        (
            "quota",
            Text(
                "wie viele E-Mails sie zuletzt bekommen hat",
                "how many letters it was written of late",
            ),
        ),
        (
            "block",
            Text("die Sperre, wo eine bestand", "the block, where there was one"),
        ),
    ),
    "mailchimp": (
        (
            "contact",
            Text(
                "der Kontakt mit allen Feldern, endgültig gelöscht (delete-permanent)",
                "the contact with all its fields, deleted for good (delete-permanent)",
            ),
        ),
        (
            "activity",
            Text(
                "was Mailchimp zum Kontakt aufgezeichnet hat, etwa Öffnungen und Klicks",
                "what Mailchimp recorded of the contact, such as opens and clicks",
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
            "die Adresse, verschlüsselt, und ihre Prüfsumme mit Schlüssel",
            "the address, encrypted, and its keyed digest",
        ),
        Text(
            "Mailchimp muss erfahren, wen es vergessen soll, und wird gefragt, bis es geschehen ist",
            "Mailchimp has to be told whom to forget, and asked again until it has",
        ),
        (_article("17", "1"), _article("19")),
        Text("bis es an jedem Ort erledigt ist", "until every place is done"),
    ),
    "ledger": Kept(
        Text(
            "was wann geschehen ist, allein unter der Vorgangsnummer",
            "what happened and when, under the reference number alone",
        ),
        Text(
            "es zeigt, dass das Recht eingehalten wurde; nichts darin führt mehr zur Person, die allein die Nummer hat",
            "it shows that the law was kept; nothing in it leads to the person any more, who alone holds the number",
        ),
        (_article("5", "2"), _article("17", "3", "e")),
        Text(
            "auf Dauer: es enthält nichts Personenbezogenes", "for good: it holds nothing personal"
        ),
    ),
    "block": Kept(
        Text(
            "eine Prüfsumme der Adresse mit Schlüssel, und der Grund der Sperre",
            "a keyed digest of the address, with the reason of the block",
        ),
        Text(
            "damit niemand mehr an die Adresse schreibt",
            "so that nobody writes to the address again",
        ),
        (_article("17", "3", "e"), _article("21", "3")),
        Text(
            "bis die Sperre aufgehoben oder gelöscht wird",
            "until the block is lifted or erased",
        ),
    ),
    "record": Kept(
        Text(
            "dieser Eintrag: seine Nummer, die Vorgangsnummer, wer ihn veranlasst hat, und seine Zeiten",
            "this record: its number, the reference number, who entered it, and its times",
        ),
        Text(
            "er zeigt, dass das Verlangen erfüllt wurde",
            "it shows that the request was carried out",
        ),
        (_article("5", "2"), _article("12", "3")),
        Text(
            "bis zum Ende des dritten Kalenderjahres nach der Erledigung",
            "to the end of the third calendar year after it was completed",
        ),
    ),
    "backups": Kept(
        Text(
            "frühere Sicherungskopien der Datenbank, wo der Betreiber welche anlegt",
            "copies of the database made before, where the operator makes any",
        ),
        Text(
            "sie sind allein für den Notfall; wird eine eingespielt, wird diese Löschung erneut ausgeführt",
            "they are for emergencies alone; one that is restored has this erasure carried out anew",
        ),
        (_article("17", "1"), _article("32", "1", "c")),
        Text(
            "bis zu ihrem Ende nach dem Sicherungsplan des Betreibers",
            "until they end, by the operator's plan for backups",
        ),
    ),
}

RIGHTS = Text(
    "Wer die Löschung verlangt hat, darf all das erfahren, sich bei einer Aufsichtsbehörde beschweren (Art. 77 DSGVO) "
    "und vor Gericht gehen (Art. 79 DSGVO). Zugestellte E-Mails liegen im eigenen Postfach der Person.",
    "Whoever asked for the erasure may be told all of this, may complain to a supervisory authority (Art. 77 GDPR), "
    "and may go to court (Art. 79 GDPR). Letters that were delivered lie in the recipient's own mailbox.",
)

STATEMENT: Mapping[str, str] = {
    "de": "Alles, was unter dieser Vorgangsnummer über eine Person gespeichert war, wurde an den genannten Orten "
    "gelöscht. Geblieben ist nur, was unter „kept“ steht. Dieser Beleg enthält keine personenbezogenen Daten.",
    "en": "All that was held about a person under this reference number was erased at the places named. Nothing "
    "stays but what stands under “kept”. This receipt holds no personal data.",
}
