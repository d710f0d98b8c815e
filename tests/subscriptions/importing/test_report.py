"""What is reported of the rows of a file, and kept where a run is interrupted."""

from __future__ import annotations

import json

from newsletter.subscriptions.importing.entry import Why
from newsletter.subscriptions.importing.report import Fate, Report

ROWS: list[tuple[int, Fate | Why]] = [
    (2, Fate.CONFIRMED),
    (3, Fate.CONFIRMED),
    (4, Why.NO_TIME),
    (5, Fate.BLOCKED),
    (7, Fate.CONFIRMED),
    (8, Why.NO_TIME),
    (9, Why.NO_TIME),
]


def test_rows_are_counted_and_named_by_ranges_also_after_an_interruption() -> None:
    report = Report()
    for number, what in ROWS:
        report.note(number, what)
        report.done = number
        report = Report.taken_back(json.loads(json.dumps(report.kept())))

    assert report.done == 9
    assert {fate: str(rows) for fate, rows in report.fates.items()} == {
        Fate.CONFIRMED: "2-3, 7",
        Fate.BLOCKED: "5",
    }
    assert {why: str(rows) for why, rows in report.refused.items()} == {Why.NO_TIME: "4, 8-9"}
    counted = (Fate.CONFIRMED, Fate.BLOCKED, Fate.KNOWN, Why.NO_TIME, Why.ERASED)
    assert [report.count(what) for what in counted] == [3, 1, 0, 3, 0]
