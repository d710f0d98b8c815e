"""What the codes of an access export mean, in German and English: a test holds that every code has its words.

They are not in the pages' catalogue, as staff's command speaks without a request.
"""

from __future__ import annotations

from collections.abc import Mapping

from newsletter.config import Locale
from newsletter.domain.lifecycle import Event, Reason, Status, There
from newsletter.storage.models import LetterKind

Words = Mapping[Locale, str]

STATUS: Mapping[str, Words] = {
    Status.PENDING: {
        "de": "angemeldet, noch nicht bestätigt",
        "en": "signed up, not yet confirmed",
    },
    Status.CONFIRMED: {"de": "bestätigt", "en": "confirmed"},
    Status.BLOCKED: {
        "de": "gesperrt: kein Newsletter",
        "en": "blocked: no newsletter",
    },
    Status.RETURNING: {
        "de": "gesperrt, neu angemeldet, noch nicht bestätigt",
        "en": "blocked, signed up again, not yet confirmed",
    },
    # Blocked by the table still, but only until they confirm anew.
    "lifted": {
        "de": "Sperre aufgehoben, neue Anmeldung möglich: kein Newsletter, bis sie bestätigt ist",
        "en": "block lifted, a new sign-up is possible: no newsletter until it is confirmed",
    },
    "lifted and returning": {
        "de": "neu angemeldet, noch nicht bestätigt: kein Newsletter",
        "en": "signed up again, not yet confirmed: no newsletter",
    },
    "erasing": {
        "de": "gelöscht; die Löschung bei Mailchimp läuft",
        "en": "erased; Mailchimp follows",
    },
}
REASON: Mapping[str, Words] = {
    Reason.REMOVED_AT_MAILCHIMP: {"de": "bei Mailchimp entfernt", "en": "removed at Mailchimp"},
    Reason.RECTIFIED: {"de": "Adresse berichtigt", "en": "address corrected"},
    Reason.UNSUBSCRIBED: {"de": "abgemeldet", "en": "unsubscribed"},
    Reason.BOUNCE: {"de": "E-Mails kamen zurück", "en": "e-mails bounced"},
    Reason.NOT_ME: {"de": "„Das war ich nicht“", "en": "“This was not me”"},
    Reason.COMPLAINT: {"de": "Beschwerde", "en": "complaint"},
    Reason.STAFF: {"de": "dauerhaft gesperrt", "en": "blocked for good"},
}
EVENT: Mapping[str, Words] = {
    Event.SIGNUP: {"de": "angemeldet", "en": "signed up"},
    Event.MAIL_SENT: {"de": "E-Mail gesendet", "en": "e-mail sent"},
    Event.MAIL_FAILED: {"de": "E-Mail nicht zustellbar", "en": "e-mail could not be delivered"},
    Event.CONFIRMED: {"de": "bestätigt", "en": "confirmed"},
    Event.BLOCKED: {"de": "gesperrt", "en": "blocked"},
    Event.LIFTED: {"de": "Sperre aufgehoben", "en": "block lifted"},
    Event.DISOWNED: {"de": "„Das war ich nicht“ erklärt", "en": "declared “This was not me”"},
    # The new address has yet to confirm: that it did shows in the reason of the block.
    Event.RECTIFIED: {
        "de": "Berichtigung der Adresse verlangt",
        "en": "correction of the address asked for",
    },
    Event.HELD: {"de": "Verarbeitung eingeschränkt", "en": "data restricted"},
    Event.RELEASED: {"de": "Einschränkung beendet", "en": "restriction ended"},
    # Where they stand there from then on, its detail says.
    Event.SYNCED: {"de": "bei Mailchimp", "en": "at Mailchimp"},
    Event.SYNC_FAILED: {"de": "von Mailchimp abgelehnt", "en": "refused by Mailchimp"},
    Event.EXPIRED: {"de": "ohne Bestätigung abgelaufen", "en": "expired without a confirmation"},
    Event.ERASED: {"de": "gelöscht", "en": "erased"},
    Event.VIEWED: {"de": "eingesehen", "en": "looked at"},
    Event.RESTORED: {"de": "aus Sicherung wiederhergestellt", "en": "restored from a backup"},
}
PLACE: Mapping[str, Words] = {
    There.ABSENT: {"de": "nicht vorhanden", "en": "not there"},
    There.UNKNOWN: {"de": "wird gerade geprüft", "en": "being looked up"},
    There.SUBSCRIBED: {"de": "eingetragen", "en": "subscribed"},
    There.UNSUBSCRIBED: {"de": "abgemeldet", "en": "unsubscribed"},
    There.AWAITING: {"de": "wartet auf Bestätigung", "en": "waits for a confirmation"},
    There.REFUSED: {"de": "von Mailchimp nicht angenommen", "en": "not taken by Mailchimp"},
}
LETTER: Mapping[str, Words] = {
    LetterKind.CONFIRMATION: {"de": "Bitte um Bestätigung", "en": "request to confirm"},
    LetterKind.WAY_BACK: {"de": "Weg zurück zu Mailchimp", "en": "way back to Mailchimp"},
    LetterKind.MY_DATA: {"de": "Link zu den eigenen Daten", "en": "link to one's own data"},
}
#: Who did it; a token's name stands for itself.
ACTOR: Mapping[str, Words] = {
    "person": {"de": "von Ihnen selbst", "en": "by yourself"},
    "mailchimp": {"de": "von Mailchimp gemeldet", "en": "told by Mailchimp"},
    "retention": {"de": "durch Ablauf der Frist", "en": "as its time was over"},
    "cli": {"de": "am Rechner des Dienstes", "en": "at the service's own machine"},
}
LANGUAGE: Mapping[str, Words] = {
    "de": {"de": "Deutsch", "en": "German"},
    "en": {"de": "Englisch", "en": "English"},
}
#: Headings and labels.
LABEL: Mapping[str, Words] = {
    "data": {"de": "Daten", "en": "Data"},
    "reference": {"de": "Vorgangsnummer", "en": "Reference number"},
    "email": {"de": "E-Mail-Adresse", "en": "E-mail address"},
    "digest": {"de": "nur noch als Prüfsumme", "en": "only as a checksum"},
    "status": {"de": "Stand", "en": "Status"},
    "reason": {"de": "Grund", "en": "Reason"},
    "since": {"de": "Seit", "en": "Since"},
    "expires_at": {"de": "Zu bestätigen bis", "en": "To be confirmed by"},
    "left_at": {"de": "Abgemeldet oder gesperrt am", "en": "Left or blocked on"},
    "language": {"de": "Sprache", "en": "Language"},
    "hold": {"de": "Eingeschränkt (Art. 18 DSGVO)", "en": "Restricted (Art. 18 GDPR)"},
    "yes": {"de": "ja", "en": "yes"},
    "no": {"de": "nein", "en": "no"},
    "none": {"de": "keine", "en": "none"},
    "mailchimp": {"de": "Bei Mailchimp", "en": "At Mailchimp"},
    "erasure_id": {"de": "Laufende Löschung", "en": "Erasure under way"},
    "events": {"de": "Was geschehen ist", "en": "What has happened"},
    "actor": {"de": "durch", "en": "by"},
    "letters": {"de": "E-Mails von uns", "en": "E-mails from us"},
    "word_for_word": {"de": "Ihr Wortlaut", "en": "Word for word"},
    "in_the_file": {
        "de": "steht in der Datei (JSON), die es zu dieser Auskunft gibt",
        "en": "in the file (JSON) that comes with this",
    },
    "written_at": {"de": "verfasst", "en": "written"},
    "sent_at": {"de": "gesendet", "en": "sent"},
    "failed_at": {"de": "aufgegeben", "en": "given up"},
    "message_id": {"de": "Message-ID", "en": "Message-ID"},
    "reply": {"de": "Antwort des Mailservers", "en": "The mail server's reply"},
    "wording": {"de": "Einwilligungstext im Wortlaut", "en": "Consent text, word for word"},
    "about": {"de": "Zur Verarbeitung", "en": "About the processing"},
    "purpose": {"de": "Zweck", "en": "Purpose"},
    "origin": {"de": "Herkunft", "en": "Origin"},
    "recipients": {"de": "Empfänger", "en": "Recipients"},
    "safeguards": {"de": "Übermittlung in die USA", "en": "Transfer to the USA"},
    "retention": {"de": "Dauer der Speicherung", "en": "How long it is kept"},
    "automated_decisions": {"de": "Automatisierte Entscheidungen", "en": "Automated decisions"},
    "rights": {"de": "Ihre Rechte", "en": "Your rights"},
    "entitled": {"de": "Ihnen stehen zu", "en": "You are entitled to"},
    "authority": {"de": "Aufsichtsbehörde", "en": "Supervisory authority"},
    "any_authority": {
        "de": "die Datenschutzaufsicht Ihres Wohnorts oder unseres Sitzes",
        "en": "that of where you live, or of our seat",
    },
    "controller": {"de": "Verantwortlich", "en": "Controller"},
    "contact": {"de": "Kontakt", "en": "Contact"},
    "privacy_notice": {"de": "Datenschutzerklärung", "en": "Privacy notice"},
    "related": {
        "de": "Weitere Adresse nach einer Berichtigung",
        "en": "Another address, after a correction",
    },
    "title": {"de": "Auskunft nach Art. 15 DSGVO", "en": "Access under Art. 15 GDPR"},
}
