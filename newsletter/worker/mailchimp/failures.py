"""What Mailchimp's errors mean: for one person, for all, or for a while."""

from __future__ import annotations

import json

import requests

from newsletter.domain.errors import DeliveryFailure, Meaning

#: Mailchimp accepted the key and the audience, and refuses this call.
REFUSALS = frozenset({Meaning.GIVE_UP_ONE, Meaning.REJECTED})

COMPLIANCE_STATE = "compliance_state"
LIST_UNKNOWN = "list_unknown"

#: Meaning and reason by the HTTP status and words in the title or detail; the first match counts. `type` is not used:
#: it is often missing, and was changed three times. Each phrase has a blank, since a detail begins with an address,
#: which its owner chose and which has none.
_ERRORS = (
    (400, "compliance state", Meaning.GIVE_UP_ONE, COMPLIANCE_STATE),
    (400, "must opt in again", Meaning.GIVE_UP_ONE, COMPLIANCE_STATE),
    (400, "forgotten email not subscribed", Meaning.GIVE_UP_ONE, "forgotten"),
    (400, "was permanently deleted", Meaning.GIVE_UP_ONE, "forgotten"),
    (400, "was previously removed from this audience", Meaning.GIVE_UP_ONE, "forgotten"),
    (400, "looks fake or invalid", Meaning.GIVE_UP_ONE, "fake_or_invalid"),
    (400, "please provide a valid email address", Meaning.GIVE_UP_ONE, "invalid_address"),
    (400, "has signed up to a lot of lists", Meaning.RETRY_LATER, "too_many_signups"),
    (400, "too many recent signup requests", Meaning.RETRY_LATER, "too_many_signups"),
    (400, "merge fields were invalid", Meaning.HOLD_ALL, "merge_fields"),
    (401, "", Meaning.HOLD_ALL, "api_key"),
    (403, "", Meaning.HOLD_ALL, "forbidden"),
    (404, "", Meaning.HOLD_ALL, LIST_UNKNOWN),
    (408, "", Meaning.RETRY_LATER, "http 408"),
    (426, "", Meaning.HOLD_ALL, "rejected 426"),
    (429, "", Meaning.RETRY_LATER, "throttled"),
)


def failure_of(answer: requests.Response) -> DeliveryFailure:
    """The failure behind an answer that is no 2xx."""
    status, words = answer.status_code, _words_of(answer)
    if status // 100 == 3:
        return DeliveryFailure(Meaning.HOLD_ALL, "redirect")
    if status == 403 and words is None:
        return DeliveryFailure(Meaning.RETRY_LATER, "throttled")
    if (failure := known_failure(status, words or "")) is not None:
        return failure
    if words is None or status >= 500:
        # The gateway gives up calls that are still running behind it.
        may_run_on = status in (502, 504)
        return DeliveryFailure(Meaning.RETRY_LATER, f"http {status}", outcome_unknown=may_run_on)
    # Only failures that the table knows to be about the person are permanent: Mailchimp's words change each year.
    return DeliveryFailure(Meaning.REJECTED, f"rejected {status}")


def known_failure(status: int, words: str) -> DeliveryFailure | None:
    """The failure in the table for a status and words in lower case."""
    for code, phrase, meaning, reason in _ERRORS:
        if status == code and phrase in words:
            return DeliveryFailure(meaning, reason)
    return None


def _words_of(answer: requests.Response) -> str | None:
    """Title and detail of a problem (RFC 9457), in lower case; None: the answer is not Mailchimp's."""
    try:
        problem = json.loads(answer.content)
    except (ValueError, RecursionError):  # no JSON, or nested too deeply
        return None
    is_problem = isinstance(problem, dict) and problem
    return f"{problem.get('title')} {problem.get('detail')}".lower() if is_problem else None
