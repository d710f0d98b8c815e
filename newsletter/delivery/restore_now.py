"""`newsletter retention --after-restore`: what a restored backup forgot is forgotten again, here and at Mailchimp."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from newsletter import config, reconciliations, replaying, restoring, resuming
from newsletter.checkpoints import Checkpoint
from newsletter.delivery.drift_report import Report
from newsletter.delivery.mailchimp_members import members_for
from newsletter.delivery.reconcile_now import reconcile_now
from newsletter.errors import NotRestored
from newsletter.replaying import Plan
from newsletter.verifying import Verification


@dataclass(frozen=True)
class Restored:
    """What was done; without a `checkpoint` it is not whole, and the workers still stand still."""

    plan: Plan
    forgotten: int
    reconciled: Report | None  #: None: there is no Mailchimp key, and it is owed
    checkpoint: Checkpoint | None


def restore_now(
    folder: Path,
    *,
    actor: str,
    also: str | None,
    may_exceed: bool,
    verifying: Callable[[Verification], None],
    comparing: Callable[[Report], None],
) -> Restored | None:
    """Do all that a restored backup needs; None: there is nothing to do. Raise NotRestored and DeliveryFailure.

    `verifying` and `comparing` are told how far it is. Whoever runs it again after it died begins anew, in vain
    where all is done.
    """
    restoring.stand_still()  # from now on no worker does anything
    plan = replaying.plan(folder, also=also)
    if plan is None:
        if restoring.held() is not None:
            restoring.release()  # it died after its last line
        return None
    walk = Verification()
    while walk.step():
        verifying(walk)
    if walk.wrong is not None:
        raise NotRestored(f"The ledger of the backup is wrong. {walk.wrong}")
    forgotten = replaying.replay(plan, actor=actor)
    reconciliations.owe()
    report = _reconcile(may_exceed=may_exceed, comparing=comparing)
    if report is not None and report.is_stopped:
        return Restored(plan, forgotten, report, None)
    return Restored(plan, forgotten, report, resuming.finish(plan, actor=actor))


def _reconcile(*, may_exceed: bool, comparing: Callable[[Report], None]) -> Report | None:
    mailchimp = members_for(config.current())
    if mailchimp is None:
        return None
    with closing(mailchimp):
        report = reconcile_now(mailchimp, full=True, may_exceed=may_exceed, watch=comparing)
    if report is None:
        raise NotRestored("Another reconciliation is under way: wait for its end.")
    return report
