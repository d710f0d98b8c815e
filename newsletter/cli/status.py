"""How the service is doing, for a terminal or a program."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import click

from newsletter import config
from newsletter.cli.application import json_option, show, with_app
from newsletter.cli.terminal import one_line
from newsletter.domain.clock import rfc3339
from newsletter.rights import today as facts
from newsletter.rights.today import Today
from newsletter.storage import waiting
from newsletter.storage.models import Step
from newsletter.storage.waiting import WaitingLetter, WaitingPerson
from newsletter.texts import delay_words
from newsletter.texts.formatting import moment

_Lists = Mapping[str, Sequence[WaitingLetter] | Sequence[WaitingPerson]]

_STEPS = {
    Step.REQUESTED: "requested",
    Step.MAILED: "e-mail sent",
    Step.CONFIRMED: "confirmed",
    Step.SUBSCRIBED: "at Mailchimp",
    Step.EXPIRED: "lost: never confirmed",
    Step.DISOWNED: "lost: “this was not me”",
    Step.MAIL_FAILED: "lost: e-mail failed",
    Step.REFUSED: "lost: refused by Mailchimp",
}


@click.command()
@json_option
@with_app
def status(*, as_json: bool) -> None:
    """Show how the service is doing, and what waits.

    The last 30 days from request to Mailchimp, the nightly runs, open erasures; then every e-mail and every person
    that waits, was refused or given up, and why. Reference numbers, never addresses.
    """
    now = facts.today()
    lists: _Lists = {
        "letters": waiting.letters(),
        "failed_letters": waiting.failed_letters(),
        "people": waiting.people(),
        "refused_people": waiting.refused_people(),
    }
    if as_json:
        waits = {name: [_as_json(each) for each in found] for name, found in lists.items()}
        show({"today": _today_as_json(now), "waiting": waits})
        return
    for line in (*_today(now), *_waiting(lists)):
        click.echo(one_line(line))


def _today(now: Today) -> Iterator[str]:
    for posted in now.notices:
        yield f"! {posted.sentence.about}: {posted.sentence.wrong}; {posted.sentence.remedy}."
    yield f"The last {facts.DAYS} days:"
    for step, words in _STEPS.items():
        yield f"{now.total(step):>10}  {words}"
    median = now.median_to_confirm
    yield (
        f"From request to confirmation (median): {_duration(median)}"
        if median
        else "From request to confirmation: nobody has confirmed"
    )
    yield f"Ledger verified: {_time(now.verified_at)}"
    yield f"Reconciled with Mailchimp: {_reconciled(now)}"
    yield f"Retention: {_time(now.retention_at)}; next: {_time(now.retention_next)}"
    erasures = now.open_erasures
    opened = f"{erasures.number}, the first since {_time(erasures.since)}" if erasures else "none"
    yield f"Open erasures: {opened}"


def _reconciled(now: Today) -> str:
    last = now.reconciled
    if last is None:
        return "never"
    which = "everybody" if last.is_full else "what had changed"
    stopped = ", and nothing was settled" if last.is_stopped else ""
    return f"{_time(last.ended_at)}, {which}: {last.changes} differed{stopped}"


def _waiting(lists: _Lists) -> Iterator[str]:
    titles = {
        "letters": "E-mails that wait",
        "failed_letters": "E-mails given up",
        "people": "People who wait for Mailchimp",
        "refused_people": "People whom Mailchimp refused or asks once more",
    }
    for name, title in titles.items():
        found = lists[name]
        number = f"{len(found)} or more" if len(found) == waiting.MOST else len(found)
        yield f"{title}: {number if found else 'none'}"
        for each in found:
            yield from _lines(each)


def _lines(each: WaitingLetter | WaitingPerson) -> Iterator[str]:
    delay = delay_words.delay_of_waiting(each)
    tried = "not tried yet" if not each.tries else f"tries: {each.tries}"
    ended = each.failed_at if isinstance(each, WaitingLetter) else None
    then = f"given up {_time(ended)}" if ended else f"next try {_time(each.next_at, 'at once')}"
    code = f" ({each.error})" if each.error else ""
    yield f"  {each.ref}  since {_time(each.since)}, {tried}, {then}"
    yield f"    {delay.why.en}{code} To do: {delay.what_to_do.en}"


def _time(value: datetime | None, missing: str = "never") -> str:
    return moment(value, "en", config.current().zone) if value else missing


def _duration(value: timedelta) -> str:
    minutes = round(value.total_seconds() / 60)
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours else f"{minutes} min"


def _today_as_json(now: Today) -> dict[str, object]:
    last, median, erasures = now.reconciled, now.median_to_confirm, now.open_erasures
    return {
        "days": [{"day": day.day.isoformat(), **day.numbers} for day in now.days],
        "totals": {step: now.total(step) for step in Step},
        "median_seconds_to_confirm": median.total_seconds() if median is not None else None,
        "ledger_verified_at": _rfc3339(now.verified_at),
        "reconciled": last
        and {
            "at": rfc3339(last.ended_at),
            "full": last.is_full,
            "changes": last.changes,
            "stopped": last.is_stopped,
        },
        "retention_at": _rfc3339(now.retention_at),
        "retention_next": _rfc3339(now.retention_next),
        "open_erasures": {
            "number": erasures.number if erasures else 0,
            "since": _rfc3339(erasures.since) if erasures else None,
        },
        "notices": [f"{posted.sentence.about}: {posted.sentence.wrong}" for posted in now.notices],
    }


def _as_json(each: WaitingLetter | WaitingPerson) -> dict[str, object]:
    values = {
        name: _rfc3339(value) if isinstance(value, datetime) else value
        for name, value in vars(each).items()
    }
    delay = delay_words.delay_of_waiting(each)
    return {**values, "why": delay.why.en, "what_to_do": delay.what_to_do.en}


def _rfc3339(value: datetime | None) -> str | None:
    return rfc3339(value) if value is not None else None
