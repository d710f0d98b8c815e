"""Regular expressions with which `newsletter check` looks for required and forbidden content of texts.

They ignore case, find what was forgotten, and are no legal advice. They are beside the texts, so that both change
together.
"""

from __future__ import annotations

from newsletter.config import Locale

#: What a consent text must name (Art. 4 (11), 7 (3) and 13 GDPR), besides values of settings.
CONSENT: dict[Locale, dict[str, str]] = {
    "de": {
        "the channel (“per E-Mail”)": r"\b(?:per|via|als|mit) E-?Mails?\b(?! an\b)",
        "the recipient Mailchimp": r"\bMailchimp\b",
        "the country USA": r"\bUSA\b|Vereinigten? Staaten",
        "the right to withdraw (“widerrufen”)": r"widerr[ou]f",
        "the means to withdraw (the unsubscribe link or an address)": r"abmelde|abbestell|@",
    },
    "en": {
        "the channel (“by e-mail”)": r"\b(?:by|via|per) e-?mails?\b(?! to\b)",
        "the recipient Mailchimp": r"\bMailchimp\b",
        "the country USA": r"\bUSA\b|United States",
        "the right to withdraw": r"\bwithdraw|\brevoke",
        "the means to withdraw (the unsubscribe link or an address)": r"unsubscribe|@",
    },
}

#: A consent text that mentions Mailchimp's open and click tracking (§ 25 TDDDG).
TRACKING: dict[Locale, str] = {
    "de": r"\böffne|\bgeöffnet|\bÖffnungs(?:rate|verhalten)|klick|tracking",
    "en": r"\bopen|\bclick|\btracking",
}

#: Other declarations, which must not be mixed with the consent (Art. 7 (2) GDPR).
OTHER_DECLARATIONS = (
    r"\bAGB\b|\w*(?:geschäfts|nutzungs|teilnahme)bedingungen|\bterms (?:and conditions|of (?:use|service))"
    r"|gewinnspiel|\bsweepstakes?\b|prize draw"
)

#: Advertising, which an e-mail that asks for consent must not contain (§ 7 UWG; LG Stendal, 22 S 87/20).
ADVERTISING = (
    r"willkommen|welcome|\bfreuen?\b|\bglad\b|\bgratis|kostenlos|\bfree\b|angebote?n?\b|\boffers?\b|rabatt|discount"
    r"|exklusiv|exclusive|\bjetzt\b|\bnow\b|\bfragen\b|\bquestions\b|kontaktieren|contact us|folgen sie|follow us"
    r"|besuchen|\bvisit\b|entdecken|discover|\bdank|\bthank|!"
)

#: A confirmation e-mail must say that the data is deleted without a confirmation.
DELETION: dict[Locale, str] = {"de": r"lösch", "en": r"delet|eras"}

#: A confirmation e-mail must say that nothing has to be done.
INACTION: dict[Locale, str] = {
    "de": r"\bnichts (?:weiter )?(?:zu )?tun\b",
    "en": r"\b(?:not do anything|do nothing)\b",
}

#: A placeholder left in an imprint.
PLACEHOLDER = r"\b(?:todo|tbd|fixme|x{3,}|lorem ipsum|platzhalter|placeholder|change[-_ ]?me)\b|[<>{}\[\]]|\.{3}|…"

#: A firm that is in a register (§ 35a GmbHG); case-sensitive.
REGISTERED_FIRM = r"(?<!\w)(?:g?GmbH|AG|UG|KG|KGaA|OHG|SE|eG|e\.\s?K\.|e\.\s?V\.|mbB|PartG)(?!\w)"

#: The register's number, and who represents the firm (§ 5 DDG).
REGISTER = r"\b(?:HRB|HRA|VR|GnR|PR|FN|CHE)\W*\d|regist\w*(?:\W+\w+){0,4}?\W+\d"
REPRESENTATIVES = (
    r"vertret|geschäftsführ|vorstand|inhaber|represent|director|board|managed|owner|partner"
)
