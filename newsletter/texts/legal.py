"""What has to be told beside the data (Art. 15(1) and (2) GDPR), in both languages: why, whence, to whom, how long."""

from __future__ import annotations

from datetime import datetime

from newsletter.config import Locale, Settings
from newsletter.domain import periods
from newsletter.domain.lifecycle import Status
from newsletter.storage.models import Subscription
from newsletter.texts import formatting

_PURPOSE: dict[Locale, str] = {
    "de": "Versand des Newsletters und Nachweis der Einwilligung dazu (Art. 6 Abs. 1 lit. a, Art. 7 Abs. 1 DSGVO); "
    "nach einem Widerruf der Nachweis allein, um Ansprüche abzuwehren (Art. 6 Abs. 1 lit. f, Art. 17 Abs. 3 lit. e "
    "DSGVO); eine Sperre dient dazu, einen Widerruf oder Widerspruch zu beachten (Art. 6 Abs. 1 lit. f, Art. 7 Abs. 3, "
    "Art. 21 Abs. 3 DSGVO).",
    "en": "Sending the newsletter, and proving the consent to it (Art. 6(1)(a), 7(1) GDPR); after a withdrawal the "
    "proof alone, to defend against claims (Art. 6(1)(f), 17(3)(e) GDPR); a block serves to respect a withdrawal or "
    "an objection (Art. 6(1)(f), 7(3), 21(3) GDPR).",
}
_ORIGIN: dict[Locale, str] = {
    "de": "Im Anmeldeformular eingetragen und, wo es vermerkt ist, vom Inhaber der Adresse bestätigt; oder uns mit "
    "einem Widerruf oder einer Sperre genannt.",
    "en": "Entered in the sign-up form and, where it says so, confirmed by the address's owner; or named to us with "
    "a withdrawal or a block.",
}
_ORIGIN_OF_CORRECTED: dict[Locale, str] = {
    "de": "Uns als neue Adresse einer früheren Anmeldung genannt und, wo es vermerkt ist, vom Inhaber bestätigt.",
    "en": "Given to us as the new address of an earlier sign-up and, where it says so, confirmed by its owner.",
}
_RECIPIENTS: dict[Locale, list[str]] = {
    "de": [
        "Mailchimp (The Rocket Science Group LLC, USA), erst nach der Bestätigung: versendet den Newsletter in unserem "
        "Auftrag; Grundlage der Übermittlung sind das EU-US Data Privacy Framework und Standardvertragsklauseln "
        "(Art. 45, 46 DSGVO)",
        "Dienstleister, die unsere Server und unseren Mailversand in unserem Auftrag betreiben (Art. 28 DSGVO)",
    ],
    "en": [
        "Mailchimp (The Rocket Science Group LLC, USA), once confirmed: sends the newsletter on our behalf; the "
        "transfer rests on the EU-US Data Privacy Framework and standard contractual clauses (Art. 45, 46 GDPR)",
        "providers that run our servers and send our e-mails on our behalf (Art. 28 GDPR)",
    ],
}
_RIGHTS: dict[Locale, list[str]] = {
    "de": [
        "Auskunft (Art. 15 DSGVO)",
        "Berichtigung (Art. 16 DSGVO)",
        "Löschung (Art. 17 DSGVO)",
        "Einschränkung der Verarbeitung (Art. 18 DSGVO)",
        "Datenübertragbarkeit (Art. 20 DSGVO)",
        "Widerspruch gegen das, was auf Art. 6 Abs. 1 lit. f DSGVO beruht (Art. 21 DSGVO)",
        "Widerruf der Einwilligung, jederzeit (Art. 7 Abs. 3 DSGVO)",
        "Beschwerde bei einer Aufsichtsbehörde (Art. 77 DSGVO)",
    ],
    "en": [
        "access (Art. 15 GDPR)",
        "rectification (Art. 16 GDPR)",
        "erasure (Art. 17 GDPR)",
        "restriction (Art. 18 GDPR)",
        "portability (Art. 20 GDPR)",
        "objecting to what rests on Art. 6(1)(f) GDPR (Art. 21 GDPR)",
        "withdrawing the consent at any time (Art. 7(3) GDPR)",
        "a complaint to a supervisory authority (Art. 77 GDPR)",
    ],
}
_UNCONFIRMED: dict[Locale, str] = {
    "de": "ohne Bestätigung innerhalb von 24 Stunden nach dem {moment} gelöscht",
    "en": "deleted within 24 hours of {moment} unless confirmed",
}
_CONFIRMED: dict[Locale, str] = {
    "de": "bis zum Widerruf der Einwilligung; ihr Nachweis bis zum Ende des dritten Kalenderjahres danach",
    "en": "until the consent is withdrawn; its proof to the end of the third calendar year after that",
}
_PROOF: dict[Locale, str] = {
    "de": "der Nachweis der Einwilligung bis zum {day}, dann gelöscht",
    "en": "the proof of the consent until {day}, then deleted",
}
_BARE: dict[Locale, str] = {
    "de": "eine mit einem Schlüssel gebildete Prüfsumme der Adresse, solange die Sperre besteht",
    "en": "a keyed digest of the address, as long as the block stands",
}
_REQUEST: dict[Locale, str] = {
    "de": "die neue Anmeldung: {request}; davor Vorhandenes: {rest}",
    "en": "the new request: {request}; what was there before: {rest}",
}
_HELD: dict[Locale, str] = {
    "de": "{ends}; solange die Verarbeitung eingeschränkt ist, endet nichts von selbst",
    "en": "{ends}; as long as the data is restricted, nothing ends by itself",
}


def of(row: Subscription, settings: Settings, locale: Locale) -> dict[str, object]:
    """All of it about one person, in one language."""
    return {
        "controller": settings.imprint_in(locale),
        "contact": settings.contact_email,
        "privacy_notice": settings.privacy_url_in(locale),
        "purpose": _PURPOSE[locale],
        "origin": (_ORIGIN if row.follows_ref is None else _ORIGIN_OF_CORRECTED)[locale],
        "recipients": _RECIPIENTS[locale],
        "retention": _retention(row, settings, locale),
        "rights": _RIGHTS[locale],
        "authority": settings.authority,
        "automated_decisions": None,
    }


def _retention(row: Subscription, settings: Settings, locale: Locale) -> str:
    ends = _ends(row, settings, locale)
    return _HELD[locale].format(ends=ends) if row.hold else ends


def _ends(row: Subscription, settings: Settings, locale: Locale) -> str:
    if row.status is Status.CONFIRMED:
        return _CONFIRMED[locale]
    request = None
    if row.expires_at is not None:
        moment = _moment(row.expires_at, settings, locale)
        request = _UNCONFIRMED[locale].format(moment=moment)
    if row.status is Status.PENDING and request is not None:
        return request
    rest = _BARE[locale]
    if row.confirmed_round is not None and row.left_at is not None:
        until = periods.proof_until(row.left_at, settings.zone)
        day = formatting.long_date(until, locale, settings.zone)
        rest = _PROOF[locale].format(day=day)
    return rest if request is None else _REQUEST[locale].format(request=request, rest=rest)


def _moment(value: datetime, settings: Settings, locale: Locale) -> str:
    return formatting.moment(value, locale, settings.zone)
