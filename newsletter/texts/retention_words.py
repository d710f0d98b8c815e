"""How long a person's data is kept, as dates, in German and English."""

from __future__ import annotations

from datetime import datetime

from newsletter.config import Locale, Settings
from newsletter.domain import clock, periods
from newsletter.domain.lifecycle import SOFT_REASONS, Reason, Status
from newsletter.storage.models import Subscription
from newsletter.texts import formatting
from newsletter.texts.bilingual import Text

_UNTIL_CONFIRMED = Text(
    "ohne Bestätigung spätestens am {moment} gelöscht",
    "deleted unless confirmed, by {moment} at the latest",
)
_UNTIL_WITHDRAWN = Text(
    "bis zum Widerruf der Einwilligung; der Nachweis bis zum Ende des dritten Kalenderjahres danach (bei einem "
    "Widerruf heute bis zum {day})",
    "until the consent is withdrawn; its proof until the end of the third calendar year after that (if withdrawn "
    "today, until {day})",
)
_UNTIL_DAY = Text("bis zum {day}, dann gelöscht", "until {day}, then deleted")
_DIGEST_STAYS = Text(
    "ein Kennwert, aus dem sich die Adresse nicht ablesen lässt, bleibt, bis die Sperre aufgehoben oder gelöscht wird",
    "a code from which the address cannot be read stays until the address is unblocked or the block is deleted",
)
_LEDGER_STAYS = Text(
    "{ends}. Das Protokoll der Ereignisse bleibt; nach dem Löschen der anderen Daten ist es für uns nicht mehr "
    "zuordenbar",
    "{ends}. The log of events stays; once the other data is deleted, we can no longer attribute it",
)
_NEW_REQUEST = Text(
    "die neue Anmeldung: {request}; davor Vorhandenes: {rest}",
    "the new request: {request}; the earlier data: {rest}",
)
_RESTRICTED = Text(
    "{ends}; solange die Verarbeitung eingeschränkt ist, endet nichts von selbst",
    "{ends}; as long as processing is restricted, nothing ends by itself",
)
_NOTHING_HELD = Text(
    "gelöscht; die Ereignisse unter der Vorgangsnummer können wir niemandem mehr zuordnen",
    "deleted; we can no longer attribute the events under the reference number to anyone",
)


def retention(row: Subscription | None, settings: Settings, locale: Locale) -> str:
    """The end of each period; None: nothing is stored."""
    if row is None:
        return _NOTHING_HELD.in_(locale)
    ends = _ends(row, settings, locale)
    if row.hold:
        ends = _RESTRICTED.in_(locale).format(ends=ends)
    return _LEDGER_STAYS.in_(locale).format(ends=ends)


def _ends(row: Subscription, settings: Settings, locale: Locale) -> str:
    if row.status is Status.CONFIRMED:
        day = _proof_ends(clock.now(), settings, locale)
        return _UNTIL_WITHDRAWN.in_(locale).format(day=day)
    if row.expires_at is None:
        return _block_ends(row, settings, locale)
    deleted_by = row.expires_at + periods.PENDING_GRACE
    moment = formatting.moment(deleted_by, locale, settings.zone)
    request = _UNTIL_CONFIRMED.in_(locale).format(moment=moment)
    if row.status is Status.PENDING:
        return request
    rest = _block_ends(row, settings, locale)
    return _NEW_REQUEST.in_(locale).format(request=request, rest=rest)


def _block_ends(row: Subscription, settings: Settings, locale: Locale) -> str:
    """A soft block ends with its proof; a hard one leaves its digest (rights/retention.py)."""
    parts = []
    if row.left_at is not None and row.address is not None:
        parts.append(_UNTIL_DAY.in_(locale).format(day=_proof_ends(row.left_at, settings, locale)))
    ends_with_proof = row.reason in SOFT_REASONS or row.reason is Reason.BOUNCE
    if not (ends_with_proof and parts):
        parts.append(_DIGEST_STAYS.in_(locale))
    return "; ".join(parts)


def _proof_ends(left_at: datetime, settings: Settings, locale: Locale) -> str:
    return formatting.long_date(periods.kept_until(left_at, settings.zone), locale, settings.zone)
