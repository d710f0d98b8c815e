"""The counts of each run of retention: deleted after the third calendar year."""

from __future__ import annotations

from sqlalchemy import delete

from newsletter.rights.data.ending import Ending, day_after_third_year, end_by, third_year_ended
from newsletter.storage.models import RetentionRun
from newsletter.texts.bilingual import Text
from newsletter.texts.described import DataClass

RUNS = DataClass(
    "runs",
    ("retention_run",),
    Text(
        "Was jeder Löschlauf gelöscht hat, in Zahlen",
        "What each nightly run has deleted, in counts",
    ),
    Text(
        "bis zum Ende des dritten Kalenderjahres danach",
        "until the end of the third calendar year after it",
    ),
    Text(
        "Art. 5 Abs. 2 DSGVO: Nachweis, dass gelöscht wird",
        "Art. 5(2) GDPR: proof that data is deleted",
    ),
    is_personal=False,
)

ENDING = Ending(
    RUNS.name,
    RetentionRun.id,
    RetentionRun.ran_at,
    where=(),
    has_ended=lambda now: RetentionRun.ran_at < third_year_ended(now),
    ends_on=day_after_third_year,
    end=end_by(RUNS.name, lambda id_: delete(RetentionRun).where(RetentionRun.id == int(id_))),
)
