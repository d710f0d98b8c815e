"""What staff can do for a person, from the forms of the desk."""

from __future__ import annotations

from collections.abc import Mapping

from werkzeug.exceptions import BadRequest

from newsletter.domain.address import Address
from newsletter.domain.errors import BlockedHard, CannotCorrect, InvalidAddress, WrittenTooOften
from newsletter.domain.lifecycle import Reason
from newsletter.subscriptions import corrections, staff
from newsletter.subscriptions.erase import erase

ACTS = frozenset({"block", "unblock", "restrict", "release", "correct", "erase"})
#: What a person's page can say afterwards.
DONE = frozenset({"block", "unblock", "restrict", "release", "correct", "tried", "nothing"})
#: Why an act may be refused, said at its form.
REFUSED = (InvalidAddress, BlockedHard, CannotCorrect, WrittenTooOften)

_REASONS = (Reason.UNSUBSCRIBED, Reason.COMPLAINT, Reason.BOUNCE, Reason.STAFF)


def carry_out(act: str, ref: str, form: Mapping[str, str], *, actor: str) -> str:
    """Do it; its name, `nothing`, or the id of an erasure. Raise one of REFUSED, UnknownReference or BadRequest."""
    match act:
        case "erase":
            return erase(ref, actor=actor, keep_block="keep_block" in form)
        case "correct":
            new = Address.parse(form.get("new_email", ""))
            corrections.rectify_by_ref(ref, new, actor=actor)
            return act
        case "block":
            has_changed = staff.block(ref, _reason_in(form), actor=actor)
        case "unblock":
            has_changed = staff.lift(ref, actor=actor)
        case _:
            has_changed = staff.hold(ref, is_held=act == "restrict", actor=actor)
    return act if has_changed else "nothing"


def _reason_in(form: Mapping[str, str]) -> Reason:
    reason = form.get("reason")
    if reason not in _REASONS:
        raise BadRequest
    return Reason(reason)
