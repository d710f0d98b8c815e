"""Why an e-mail or a person at Mailchimp waits, or was given up, and what staff can do.

The worker records a code: a word of its own, or the step of the SMTP conversation and the mail server's reply code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from newsletter.domain.lifecycle import MailchimpStatus
from newsletter.storage.waiting import WaitingLetter, WaitingPerson
from newsletter.texts.bilingual import Text


@dataclass(frozen=True)
class Delay:
    """What is wrong, and what to do."""

    why: Text
    what_to_do: Text


_BY_ITSELF = Text("nichts, es wird von selbst wieder versucht.", "nothing, it is tried again.")
_GIVEN_UP = Text(
    "nichts; fragt die Person noch einmal an, geht eine neue E-Mail hinaus.",
    "nothing; if the person asks again, a new e-mail is sent.",
)
_ASK = Text(
    "die Person auf anderem Weg fragen, ob die Adresse stimmt, und sie berichtigen.",
    "ask the person in another way whether the address is right, and correct it.",
)
_OUR_SERVER = Text(
    "SMTP_URL und den Mailserver prüfen: newsletter check nennt, was fehlt.",
    "check SMTP_URL and the mail server: newsletter check says what is missing.",
)
_OUR_KEY = Text(
    "die Einstellungen zu Mailchimp prüfen: newsletter check nennt, was fehlt.",
    "check the settings of Mailchimp: newsletter check says what is missing.",
)
_THEIR_FORM = Text(
    "die Person muss sich über das Formular von Mailchimp selbst eintragen. "
    "Ist MAILCHIMP_SIGNUP_URL gesetzt, schickt ihr der Dienst den Link.",
    "the person has to sign up by themselves, by Mailchimp’s own form. "
    "Where MAILCHIMP_SIGNUP_URL is set, the service sends them the link.",
)
_BROKEN_OFF = Delay(
    Text(
        "Die Verbindung brach ab; es ist nicht bekannt, ob es noch ausgeführt wurde.",
        "The connection broke off; whether it was carried out is not known.",
    ),
    _BY_ITSELF,
)

NOT_TRIED = Delay(Text("Noch nicht versucht.", "Not tried yet."), _BY_ITSELF)

#: The first pattern that matches the whole code applies.
_DELAYS = (
    (
        r"(rcpt|data) 5\d\d 5\.2\.\d+",
        Delay(
            Text("Das Postfach ist voll oder geschlossen.", "The mailbox is full or closed."), _ASK
        ),
    ),
    (
        r"(rcpt|data) 5\d\d 5\.1\.\d+",
        Delay(Text("Dieses Postfach gibt es nicht.", "There is no such mailbox."), _ASK),
    ),
    (
        r"(rcpt|data) 4.*",
        Delay(
            Text(
                "Der Mailserver bittet, es später wieder zu versuchen.",
                "The mail server asks to try again later.",
            ),
            _BY_ITSELF,
        ),
    ),
    (
        r"(rcpt|data) 5.*",
        Delay(
            Text(
                "Der Mailserver lehnt diese E-Mail ab, ohne zu sagen, ob es am Postfach liegt.",
                "The mail server refuses this e-mail, and does not say that it is the mailbox’s matter.",
            ),
            Text(
                "bei mehreren Empfängern SPF, DKIM und Sperrlisten der eigenen Domain prüfen.",
                "if it happens with several recipients, check SPF, DKIM and block lists of your own domain.",
            ),
        ),
    ),
    (
        r"letter_unsafe.*",
        Delay(
            Text(
                "Eine Kopfzeile der E-Mail könnte missverstanden werden.",
                "A header of the e-mail could be misread.",
            ),
            Text(
                "MAIL_FROM, ORGANISATION und den Betreff prüfen; steht dort To, die Adresse.",
                "check MAIL_FROM, ORGANISATION and the subject; where it says To, the address.",
            ),
        ),
    ),
    (
        r"folder",
        Delay(
            Text(
                "Der Ordner für E-Mails ist nicht beschreibbar.",
                "The folder for e-mails is not writable.",
            ),
            Text("var/mail/ beschreibbar machen.", "make var/mail/ writable."),
        ),
    ),
    (
        r"worker_ended|lease_lost|lost",
        Delay(
            Text(
                "Der Worker endete dabei; ob die E-Mail ankam, ist nicht bekannt.",
                "The worker ended meanwhile; whether the e-mail arrived is not known.",
            ),
            _BY_ITSELF,
        ),
    ),
    (
        r"(connect|ehlo|starttls|auth|mail|rset)[ _].*|connect|tls|auth_not_offered",
        Delay(
            Text(
                "Die andere Seite nimmt die Verbindung oder die Anmeldung nicht an.",
                "The other side does not take the connection or the sign-in.",
            ),
            _OUR_SERVER,
        ),
    ),
    (r"timeout|network|not_json|too_large|status_differs", _BROKEN_OFF),
    (
        r"compliance_state",
        Delay(
            Text(
                "Mailchimp nimmt niemanden zurück, der sich dort einmal abgemeldet hat oder unzustellbar war.",
                "Mailchimp takes back nobody by a call who once unsubscribed or bounced there.",
            ),
            _THEIR_FORM,
        ),
    ),
    (
        r"forgotten",
        Delay(
            Text(
                "Die Person wurde bei Mailchimp früher endgültig gelöscht.",
                "The person was once deleted at Mailchimp for good.",
            ),
            _THEIR_FORM,
        ),
    ),
    (
        r"fake_or_invalid|invalid_address",
        Delay(
            Text(
                "Mailchimp hält die Adresse für falsch.", "Mailchimp takes the address for wrong."
            ),
            _ASK,
        ),
    ),
    (
        r"too_many_signups",
        Delay(
            Text(
                "Mailchimp sieht für diese Adresse zu viele Anmeldungen in kurzer Zeit.",
                "Mailchimp has seen too many sign-ups of this address in a short time.",
            ),
            _BY_ITSELF,
        ),
    ),
    (
        r"throttled|http .*",
        Delay(
            Text(
                "Mailchimp ist überlastet oder gestört.", "Mailchimp is busy, or in trouble itself."
            ),
            _BY_ITSELF,
        ),
    ),
    (
        r"still_there",
        Delay(
            Text("Mailchimp führt den Kontakt noch.", "Mailchimp still has the contact."),
            _BY_ITSELF,
        ),
    ),
    (
        r"rejected .*",
        Delay(
            Text(
                "Mailchimp lehnt genau diesen Aufruf ab, mit einem Grund, den wir nicht kennen.",
                "Mailchimp refuses this very call, for a reason that we do not know.",
            ),
            Text(
                "die Person bei Mailchimp ansehen; es wird immer seltener wieder versucht.",
                "look at the person at Mailchimp; it is tried again, less and less often.",
            ),
        ),
    ),
    (
        r"api_key|forbidden|list_unknown|api_url|redirect|merge_fields|client .*",
        Delay(
            Text(
                "Mailchimp lehnt alle Aufrufe ab: Eine Einstellung passt nicht.",
                "Mailchimp refuses all calls: a setting is not right.",
            ),
            _OUR_KEY,
        ),
    ),
)
_OTHER = Delay(
    Text("Ein unerwarteter Fehler.", "An unexpected error."),
    Text("im Protokoll des Workers nachsehen.", "see the worker’s log."),
)
#: A person whom Mailchimp asks once more has no code.
_AWAITING = Delay(
    Text(
        "Mailchimp hat die Person selbst noch einmal gefragt und wartet auf ihre Antwort.",
        "Mailchimp itself has asked the person once more, and waits for the answer.",
    ),
    Text("nichts, die Person entscheidet.", "nothing, it is for the person to decide."),
)


def delay_of(code: str | None, *, is_given_up: bool = False) -> Delay:
    """What a code means; None: not tried yet. An e-mail that was given up is not tried again by itself."""
    delay = NOT_TRIED if code is None else _delay_after(code)
    if is_given_up and delay.what_to_do is _BY_ITSELF:
        return Delay(delay.why, _GIVEN_UP)
    return delay


def _delay_after(code: str) -> Delay:
    return next((delay for pattern, delay in _DELAYS if re.fullmatch(pattern, code)), _OTHER)


def delay_of_waiting(each: WaitingLetter | WaitingPerson) -> Delay:
    """Why an e-mail or a person waits."""
    if isinstance(each, WaitingPerson) and each.place is MailchimpStatus.AWAITING:
        return _AWAITING
    is_given_up = isinstance(each, WaitingLetter) and each.failed_at is not None
    return delay_of(each.error, is_given_up=is_given_up)
