"""How long each class of data is kept, and why, in words."""

from __future__ import annotations

from dataclasses import dataclass

from newsletter.inventory.words import Text


@dataclass(frozen=True)
class Period:
    """How long one class of data is kept, and why no shorter."""

    data: Text
    ends: Text
    why: Text


#: retention.py is what carries them out.
PERIODS = (
    Period(
        Text("Nicht bestätigte Anmeldungen", "Requests that nobody confirmed"),
        Text(
            "spätestens 24 Stunden nach Ablauf des Bestätigungslinks",
            "at the latest 24 hours after the confirmation link has ended",
        ),
        Text("Art. 5 Abs. 1 lit. e, Art. 17 DSGVO", "Art. 5(1)(e), Art. 17 GDPR"),
    ),
    Period(
        Text("Bestätigte Adressen", "Confirmed addresses"),
        Text("bis zum Widerruf der Einwilligung", "until the consent is withdrawn"),
        Text("Art. 6 Abs. 1 lit. a DSGVO", "Art. 6(1)(a) GDPR"),
    ),
    Period(
        Text(
            "Nachweis der Einwilligung und Sperre nach Abmeldung",
            "Proof of the consent and block after leaving",
        ),
        Text(
            "bis zum Ende des dritten Kalenderjahres nach dem Jahr der Abmeldung, dann Löschung hier und bei Mailchimp",
            "to the end of the third calendar year after the year of leaving, then erased here and at Mailchimp",
        ),
        Text(
            "Verjährung von Ansprüchen (§§ 195, 199 BGB), Art. 17 Abs. 3 lit. e DSGVO",
            "limitation of claims (§§ 195, 199 BGB), Art. 17(3)(e) GDPR",
        ),
    ),
    Period(
        Text(
            "Dauerhafte Sperre („nie wieder anschreiben“)",
            "A lasting block (“never write to me again”)",
        ),
        Text(
            "Prüfsumme der Adresse, solange die Sperre gewünscht ist",
            "a keyed digest of the address, as long as the block is wanted",
        ),
        Text("Art. 6 Abs. 1 lit. f, Art. 21 Abs. 3 DSGVO", "Art. 6(1)(f), Art. 21(3) GDPR"),
    ),
    Period(
        Text("Verlangte Löschungen", "Erasures that were asked for"),
        Text(
            "Adresse, bis Mailchimp bestätigt hat; danach eine Quittung ohne Personenbezug",
            "the address until Mailchimp has confirmed; then a receipt with nothing personal",
        ),
        Text("Art. 17, 19 DSGVO", "Art. 17, 19 GDPR"),
    ),
    Period(
        Text("Zähler der E-Mails an eine Adresse", "Count of letters to an address"),
        Text("24 Stunden", "24 hours"),
        Text(
            "Schutz vor Missbrauch, Art. 6 Abs. 1 lit. f DSGVO", "against abuse, Art. 6(1)(f) GDPR"
        ),
    ),
    Period(
        Text("Protokoll und Siegel", "Ledger and seals"),
        Text(
            "unbefristet; nach einer Löschung können wir sie keiner Person mehr zuordnen",
            "for ever; after an erasure we can attribute them to nobody",
        ),
        Text("Rechenschaftspflicht, Art. 5 Abs. 2 DSGVO", "accountability, Art. 5(2) GDPR"),
    ),
)
