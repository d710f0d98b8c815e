"""What people and programs are told when something goes wrong: title and text by slug and language.

`{form}` is the sign-up form, `{contact}` is CONTACT_EMAIL. A slug is part of the public contract.
"""

from __future__ import annotations

from newsletter.config import Locale

TEXTS: dict[str, dict[Locale, tuple[str, str]]] = {
    "invalid-address": {
        "de": (
            "Keine gültige E-Mail-Adresse",
            "Bitte geben Sie eine gültige E-Mail-Adresse ein, zum Beispiel name@example.com. "
            "Umlaute und Sonderzeichen vor dem @ sind nicht möglich.",
        ),
        "en": (
            "Not a valid e-mail address",
            "Please enter a valid e-mail address, such as name@example.com. "
            "Accented and special letters before the @ are not possible.",
        ),
    },
    "invalid-request": {
        "de": ("Ungültige Angaben", "Mindestens ein Feld fehlt oder hat keinen gültigen Wert."),
        "en": ("Invalid request", "At least one field is missing or has no valid value."),
    },
    "unknown-wording": {
        "de": (
            "Einwilligungstext nicht mehr gültig",
            "Der Einwilligungstext, dem Sie zugestimmt haben, ist nicht bekannt oder wurde "
            "zurückgezogen. Bitte melden Sie sich mit dem aktuellen Text an: {form}",
        ),
        "en": (
            "Consent text no longer valid",
            "The consent text you agreed to is not known or was withdrawn. "
            "Please sign up with the present text: {form}",
        ),
    },
    "unknown-link": {
        "de": (
            "Link nicht gefunden",
            "Bitte prüfen Sie, ob der Link vollständig kopiert wurde. Vielleicht ist er auch "
            "abgelaufen; dann melden Sie sich bitte neu an: {form}",
        ),
        "en": (
            "Link not found",
            "Please check that you copied the whole link. It may also have expired; "
            "in that case please sign up again: {form}",
        ),
    },
    "outdated-link": {
        "de": (
            "Dieser Link ist nicht mehr gültig",
            "Die Frist für die Bestätigung ist abgelaufen, oder der Link wurde durch einen "
            "neueren ersetzt. Wenn Sie den Newsletter erhalten möchten, melden Sie sich bitte "
            "neu an: {form}",
        ),
        "en": (
            "This link is no longer valid",
            "The time limit for confirmation has passed, or a newer link has replaced this one. "
            "If you would like to receive the newsletter, please sign up again: {form}",
        ),
    },
    "nobody-known": {
        "de": ("Niemand bekannt", "Zu dieser Adresse ist hier nichts gespeichert."),
        "en": ("Nobody known", "Nothing is held here about this address."),
    },
    "blocked-hard": {
        "de": (
            "Adresse gesperrt",
            "Diese Adresse ist gesperrt; zuerst müsste das aufgehoben werden.",
        ),
        "en": ("Address blocked", "This address is blocked; that would have to be lifted first."),
    },
    "unavailable": {
        "de": (
            "Zurzeit nicht erreichbar",
            "Der Dienst ist gerade nicht erreichbar. Es ist nichts verloren gegangen; "
            "bitte versuchen Sie es in einigen Minuten noch einmal.",
        ),
        "en": (
            "Unavailable at the moment",
            "The service cannot be reached just now. Nothing was lost; "
            "please try again in a few minutes.",
        ),
    },
    "bad-request": {
        "de": ("Anfrage nicht lesbar", "Die Anfrage konnte nicht gelesen werden."),
        "en": ("Unreadable request", "The request could not be read."),
    },
    "wrong-signature": {
        "de": ("Falsche Signatur", "Die Signatur des Aufrufs fehlt oder stimmt nicht."),
        "en": ("Wrong signature", "The call's signature is missing or does not match."),
    },
    "unauthorized": {
        "de": ("Nicht berechtigt", "Hierfür ist ein gültiges Token im Authorization-Header nötig."),
        "en": ("Unauthorized", "This needs a valid token in the Authorization header."),
    },
    "not-found": {
        "de": ("Nicht gefunden", "Diese Seite gibt es hier nicht."),
        "en": ("Not found", "There is no such page here."),
    },
    "method-not-allowed": {
        "de": ("Methode nicht möglich", "Diese Adresse kennt die verwendete HTTP-Methode nicht."),
        "en": ("Method not allowed", "This address does not know the HTTP method that was used."),
    },
    "too-large": {
        "de": ("Zu viele Daten", "Die Anfrage ist größer, als sie hier sein darf."),
        "en": ("Too much data", "The request is larger than it may be here."),
    },
    "unsupported-media-type": {
        "de": ("Datenformat nicht unterstützt", "Dieser Content-Type wird hier nicht angenommen."),
        "en": ("Unsupported media type", "This Content-Type is not taken here."),
    },
    "too-many-requests": {
        "de": (
            "Zu viele Anmeldungen",
            "Von hier kamen in kurzer Zeit sehr viele Anmeldungen. "
            "Bitte versuchen Sie es etwas später noch einmal.",
        ),
        "en": (
            "Too many sign-ups",
            "Very many sign-ups came from here in a short time. Please try again a little later.",
        ),
    },
    "internal-error": {
        "de": (
            "Fehler im Dienst",
            "Bei uns ist etwas schiefgegangen. Bitte versuchen Sie es später noch einmal "
            "oder schreiben Sie an {contact}.",
        ),
        "en": (
            "Error in the service",
            "Something went wrong on our side. Please try again later or write to {contact}.",
        ),
    },
    "http-error": {
        "de": ("Anfrage nicht möglich", "Diese Anfrage konnte nicht beantwortet werden."),
        "en": ("Request not possible", "This request could not be answered."),
    },
}
