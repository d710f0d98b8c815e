"""The notices for staff in German; in English they stand where they are posted (storage/notices.py).

A detail that a process wrote in English stays English, and the page says so to screen readers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from newsletter.config import Locale
from newsletter.storage.notices import Code, Posted


@dataclass(frozen=True)
class Words:
    """A notice as a page shows it; the detail is between `wrong` and `wrong_after`."""

    about: str
    wrong: str
    detail: str
    wrong_after: str
    remedy: str
    is_detail_english: bool


_DETAIL = "{detail}"
_ABOUT = {
    "letters": "E-Mails",
    "worker": "Worker",
    "reconcile": "Abgleich",
    "retention": "Löschfristen",
    "ledger": "Protokoll",
}
_WORKERS_LOG = "im Log des Workers nachsehen"
_LEDGER_DOCS = "siehe docs/ledger.md"
#: What is wrong, and what to do.
_GERMAN: Mapping[Code, tuple[str, str]] = {
    Code.LETTER_UNSAFE: (
        "eine wurde aufgegeben, weil ihre Empfängeradresse missverstanden werden könnte: Vorgangsnummer {detail}",
        "unter „Person“ nachsehen, wem sie gilt, und die Adresse berichtigen oder löschen",
    ),
    Code.MAIL_OUTCOME_UNKNOWN: (
        "der Mailserver nahm eine E-Mail an und sagte nicht, ob er sie behält ({detail}); sie kann bis zu dreimal"
        " ankommen",
        "im Log des Mailservers nachsehen, warum er nach DATA so spät oder gar nicht antwortet",
    ),
    Code.LETTERS_PER_HOUR: (
        "{detail} E-Mails in einer Stunde, so viele, wie LETTERS_PER_HOUR erlaubt: Der Rest wartet",
        "den Wert erhöhen, wenn die Anmeldungen echt sind; viele auf einmal können von jemandem stammen, der andere"
        " anmeldet",
    ),
    Code.CHECKPOINTS_UNFIT: ("Worker starten nicht: {detail}", _LEDGER_DOCS),
    Code.CHECKPOINTS_UNWRITTEN: (
        "Prüfpunkte lassen sich nicht schreiben: {detail}",
        "prüfen, ob der Ordner da ist, Platz hat und der Worker in ihn schreiben darf",
    ),
    Code.MAIL_ON_HOLD: (
        "der E-Mail-Versand ruht ({detail})",
        "unter „Wartet“ steht, was zu tun ist; alle 30 Sekunden wird es wieder versucht",
    ),
    Code.MAILCHIMP_ON_HOLD: (
        "die Übertragung an Mailchimp ruht ({detail})",
        "unter „Wartet“ steht, was zu tun ist; alle 30 Sekunden wird es wieder versucht",
    ),
    Code.LOOP_STALLED: ("seit einer Minute kein Schritt: {detail}", _WORKERS_LOG),
    Code.KEY_IS_STALE: (
        "der DATA_KEY eines Workers öffnet den Schlüsselbund nicht",
        "den, der es tut, in seine Liste aufnehmen und ihn neu starten (docs/keys.md)",
    ),
    Code.WEBHOOK_REFUSED: (
        "Aufrufe von Mailchimps Webhook werden abgelehnt: MAILCHIMP_SIGNING_SECRET passt nicht zu ihnen",
        "das Geheimnis eintragen, das beim Einrichten des Webhooks gezeigt wurde, oder ihn neu einrichten",
    ),
    Code.RECONCILIATION_STOPPED: (
        "der Abgleich hielt an: {detail}",
        "prüfen, ob MAILCHIMP_LIST_ID stimmt; ist alles so gemeint: newsletter reconcile --full --yes",
    ),
    Code.RECONCILIATION_OWED: (
        "alle müssen noch mit Mailchimp abgeglichen werden, da vielleicht eine Sicherung eingespielt wurde: Vorher"
        " wird dort niemand eingetragen",
        "MAILCHIMP_API_KEY setzen, falls er fehlt: Ein Worker tut es von selbst, oder newsletter reconcile",
    ),
    Code.RETENTION_LATE: (
        "seit 48 Stunden wurde nichts gelöscht, dessen Frist endet: Daten werden womöglich zu lange aufbewahrt",
        "im Log des Workers nachsehen, und newsletter retention ausführen",
    ),
    Code.RETENTION_INCOMPLETE: (
        "{detail} Datensätze ließen sich nach dem Ende ihrer Frist nicht löschen und sind noch da",
        "im Log des Workers nachsehen, und newsletter retention ausführen",
    ),
    Code.FILE_NOT_CLEANED: (
        "die Datenbankdatei lässt sich nicht von Gelöschtem reinigen: {detail}",
        "siehe docs/erasing.md; der Worker versucht es von selbst wieder",
    ),
    Code.FILE_LATE: (
        "die Datenbankdatei wurde seit 48 Stunden nicht von Gelöschtem gereinigt",
        "siehe docs/erasing.md; der Worker versucht es von selbst wieder",
    ),
    Code.LEDGER_WRONG: ("das Protokoll stimmt nicht: {detail}", _LEDGER_DOCS),
    Code.LEDGER_NOT_VERIFIED: ("das Protokoll wurde nicht geprüft seit {detail}", _LEDGER_DOCS),
}
_IN_ENGLISH = frozenset(
    {
        Code.CHECKPOINTS_UNFIT,
        Code.CHECKPOINTS_UNWRITTEN,
        Code.RECONCILIATION_STOPPED,
        Code.FILE_NOT_CLEANED,
        Code.LEDGER_WRONG,
    }
)


def words_of(posted: Posted, locale: Locale) -> Words:
    """A notice in one language."""
    english = posted.code.value
    about, wrong, remedy = english.about, english.wrong, english.remedy
    if locale == "de":
        about = _ABOUT.get(about, about)
        wrong, remedy = _GERMAN[posted.code]
    before, found, after = wrong.partition(_DETAIL)
    detail = posted.detail or "" if found else ""
    is_english = locale != "en" and posted.code in _IN_ENGLISH
    return Words(about, before, detail, after, remedy, is_english)
