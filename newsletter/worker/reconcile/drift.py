"""How somebody's place at Mailchimp may differ from the wanted one: one table. A block wins, wherever it was set."""

from __future__ import annotations

from enum import StrEnum

from newsletter.domain.lifecycle import UNSETTLED, MailchimpStatus


class Drift(StrEnum):
    """A difference, and so what is to be done."""

    LEFT = "left"  #: stood there in this round, as far as is known, and left there: blocked here
    GONE = "gone"  #: stood there in this round and is there no more: blocked here
    STILL_THERE = "still_there"  #: is to get nothing and is subscribed there: unsubscribed there
    NEVER_CAME = "never_came"  #: is to be subscribed there and never was in this round: added there
    MISTAKEN = "mistaken"  #: stands there otherwise than is known here: looked up


def judge(
    *,
    wanted: MailchimpStatus | None,
    known: MailchimpStatus,
    place: MailchimpStatus,
    was_there: bool,
    left_unknown: bool = False,
) -> Drift | None:
    """Compare where somebody stands there with where they should; None: nothing is to be done.

    `wanted`: None for whom there is no wish. `was_there`: Mailchimp acknowledged their adding in this very round.
    `left_unknown`: they left there after this round's consent, and what is known here is older (a restored backup).
    """
    if left_unknown and wanted is not None and place is MailchimpStatus.UNSUBSCRIBED:
        # Not to be left to the audience loop, which would add them again: at once, or when their hold ends.
        return Drift.LEFT
    if wanted is None or known in UNSETTLED[wanted]:
        # Nobody's business, or the audience loop is about to see to it anyway.
        return None
    if wanted is MailchimpStatus.UNSUBSCRIBED:
        return (
            Drift.STILL_THERE
            if place in (MailchimpStatus.SUBSCRIBED, MailchimpStatus.AWAITING)
            else None
        )
    if place in (MailchimpStatus.SUBSCRIBED, MailchimpStatus.AWAITING):
        return None if place is known else Drift.MISTAKEN
    return _judge_absence(known, place, was_there=was_there)


def _judge_absence(
    known: MailchimpStatus, place: MailchimpStatus, *, was_there: bool
) -> Drift | None:
    """Judge somebody who confirmed, and whom Mailchimp does not write to."""
    if place is MailchimpStatus.UNSUBSCRIBED and was_there:
        return Drift.LEFT
    if known is not MailchimpStatus.SUBSCRIBED:
        # Refused, or asked by Mailchimp itself: an answer that stands until they ask anew.
        return None
    return Drift.GONE if was_there else Drift.NEVER_CAME
