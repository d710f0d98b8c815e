"""The transfer to Mailchimp in the USA, as of 30 November 2026: edit here when the law changes.

The Supreme Court's decision and the EDPB's letter are cited from secondary sources.
"""

from __future__ import annotations

from newsletter.texts.bilingual import Text

#: In one clause, for access exports and notices.
BASIS = Text(
    "Grundlage der Übermittlung in die USA sind das EU-US Data Privacy Framework (Art. 45 DSGVO) und "
    "Standardvertragsklauseln (Art. 46 DSGVO)",
    "The transfer to the USA rests on the EU-US Data Privacy Framework (Art. 45 GDPR) and on standard contractual "
    "clauses (Art. 46 GDPR)",
)

#: In full, for the record of processing.
ASSESSMENT = Text(
    "Angemessenheitsbeschluss zum EU-US Data Privacy Framework (Durchführungsbeschluss (EU) 2023/1795), unter dem "
    "Mailchimp über Intuit zertifiziert ist [auf dataprivacyframework.gov prüfen, Datum notieren]. Das EuG hat "
    "ihn bestätigt (T-553/23, Latombe); das Rechtsmittel C-703/25 P ist anhängig. Am 29. Juni 2026 hat der "
    "Supreme Court der USA in Trump v. Slaughter über die Unabhängigkeit der FTC entschieden, die das Framework "
    "beaufsichtigt; der EDSA hat dazu am 31. Juli 2026 ein Schreiben veröffentlicht (beides nach "
    "Sekundärquellen). Gleichrangig gelten daher die Standardvertragsklauseln (Art. 46 Abs. 2 lit. c DSGVO), die "
    "Teil des Vertrags sind, mit einer Prüfung der Übermittlung (Transfer Impact Assessment) [ablegen]. Stand: "
    "30. November 2026.",
    "Adequacy decision on the EU-US Data Privacy Framework (Implementing Decision (EU) 2023/1795), under which "
    "Mailchimp is certified through Intuit [check dataprivacyframework.gov, note the date]. The General Court "
    "upheld it (T-553/23, Latombe); the appeal C-703/25 P is pending. On 29 June 2026 the US Supreme Court "
    "decided in Trump v. Slaughter on the independence of the FTC, which supervises the framework; the EDPB "
    "published a letter about it on 31 July 2026 (both from secondary sources). The standard contractual clauses "
    "(Art. 46(2)(c) GDPR), which are part of the contract, therefore apply on an equal footing, with a transfer "
    "impact assessment [file it]. As of 30 November 2026.",
)
