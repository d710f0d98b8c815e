"""What all processes share, as Prometheus wants it: read from the database when it is asked for, by indexes alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from newsletter.domain import clock
from newsletter.storage import backlog, call_counts, daily_counts, jobs, notices, outage, readiness
from newsletter.storage.notices import Code
from newsletter.storage.runs import reconciliation, retention, verification


class Facts(Collector):
    """The database's facts; while it cannot be read, that it cannot."""

    def collect(self) -> Iterable[Metric]:
        is_ready = readiness.trouble() is None
        yield _gauge("ready", "Whether sign-ups can be accepted (1) or not (0).", is_ready)
        try:
            # All of them or none.
            yield from [*_counts(), *_waiting(), *_workers(), *_runs(), _notices()]
        except outage.OF_THE_DATABASE:
            return


def _counts() -> Iterable[Metric]:
    yield _counter("signups", "Sign-ups that reached a step.", "step", daily_counts.totals())
    yield _counter(
        "letters", "E-mails given to the mail server.", "outcome", call_counts.totals("mail")
    )
    yield _counter(
        "mailchimp_calls",
        "Calls to Mailchimp, by the status of the answer.",
        "status",
        call_counts.totals("mailchimp"),
    )


def _waiting() -> Iterable[Metric]:
    now = clock.now()
    found = {
        "letters": backlog.letters(),
        "people": backlog.people(),
        "erasures": backlog.erasures(),
    }
    yield _gauges(
        "waiting",
        f"What waits for the mail server or Mailchimp, counted up to {backlog.MOST_COUNTED}.",
        "what",
        {what: waiting.number if waiting else 0 for what, waiting in found.items()},
    )
    yield _gauges(
        "waiting_oldest_seconds",
        "How long the oldest of it has waited; 0 where nothing waits.",
        "what",
        {what: _age(waiting.since, now) if waiting else 0 for what, waiting in found.items()},
    )


def _workers() -> Iterable[Metric]:
    workers = jobs.workers()
    yield _gauge("workers", "Workers that are alive, on all hosts.", workers.alive)
    if workers.last_beat is not None:
        age = _age(workers.last_beat, clock.now())
        yield _gauge(
            "worker_heartbeat_age_seconds", "Since a worker last gave a sign of life.", age
        )


def _runs() -> Iterable[Metric]:
    now, reconciled = clock.now(), reconciliation.last_result()
    ended = {
        "verification": verification.last_ended_at(),
        "reconciliation": reconciled.ended_at if reconciled else None,
        "retention": retention.last_ended_at(),
    }
    ages = {run: _age(at, now) for run, at in ended.items() if at is not None}
    words = "Since a run of the worker last ended; nothing where there was none."
    yield _gauges("run_age_seconds", words, "run", ages)


def _notices() -> Metric:
    posted = {each.code for each in notices.current()}
    values = {code.name.lower(): code in posted for code in Code}
    return _gauges(
        "notice", "Notices for staff, as /ready lists them: 1 while posted.", "code", values
    )


def _age(at: datetime, now: datetime) -> float:
    """In seconds; 0 for what a clock that was ahead has set."""
    return max(0.0, (now - at).total_seconds())


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(f"newsletter_{name}", words, value)


def _gauges(name: str, words: str, label: str, values: Mapping[str, float]) -> Metric:
    return _filled(GaugeMetricFamily(f"newsletter_{name}", words, labels=[label]), values)


def _counter(name: str, words: str, label: str, values: Mapping[str, int]) -> Metric:
    return _filled(CounterMetricFamily(f"newsletter_{name}", words, labels=[label]), values)


def _filled(family: GaugeMetricFamily | CounterMetricFamily, values: Mapping[str, float]) -> Metric:
    for name, value in values.items():
        family.add_metric([name], value)
    return family
