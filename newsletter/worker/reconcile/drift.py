"""How a person's status at Mailchimp may differ from the wanted one, as one table. A block wins, wherever it is set."""

from __future__ import annotations

from enum import StrEnum

from newsletter.domain.lifecycle import UNSETTLED, MailchimpStatus


class Drift(StrEnum):
    """A difference, and what is done about it."""

    LEFT = "left"  #: was subscribed there in this round and unsubscribed there: blocked here
    GONE = "gone"  #: was subscribed there in this round and is missing there: blocked here
    STILL_THERE = "still_there"  #: must get nothing and is subscribed there: unsubscribed there
    NEVER_CAME = "never_came"  #: must be subscribed there and never was in this round: added there
    MISTAKEN = "mistaken"  #: has another status there than is recorded here: looked up


def judge(
    *,
    wanted: MailchimpStatus | None,
    known: MailchimpStatus,
    place: MailchimpStatus,
    was_there: bool,
    left_unknown: bool = False,
) -> Drift | None:
    """Compare a person's status there (`place`) with the wanted and the recorded one; None: nothing is to be done.

    `wanted`: None if no call may be made. `was_there`: Mailchimp acknowledged in this round that they were added.
    `left_unknown`: they unsubscribed there after this round's consent, and a restored backup does not know it.
    """
    if left_unknown and wanted is not None and place is MailchimpStatus.UNSUBSCRIBED:
        # Here, since the audience loop would add them again: at once, or when their restriction ends.
        return Drift.LEFT
    if wanted is None or known in UNSETTLED[wanted]:
        # Nothing may be done, or the audience loop is about to do it.
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
    """The difference of a confirmed person who is not subscribed there."""
    if place is MailchimpStatus.UNSUBSCRIBED and was_there:
        return Drift.LEFT
    if known is not MailchimpStatus.SUBSCRIBED:
        # Refused, or asked by Mailchimp itself: final until they sign up again.
        return None
    return Drift.GONE if was_there else Drift.NEVER_CAME
