"""`newsletter retention --after-restore`: what a restored backup forgot is forgotten again, here and at Mailchimp."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from newsletter import config
from newsletter.domain.errors import NotRestored
from newsletter.ledger import restored
from newsletter.ledger.checkpoints import Checkpoint
from newsletter.ledger.verifying import Verification
from newsletter.storage.runs import reconciliation
from newsletter.worker.mailchimp.listing import members_for
from newsletter.worker.reconcile.report import Report
from newsletter.worker.reconcile_now import reconcile_now
from newsletter.worker.restore import finish, replay
from newsletter.worker.restore.replay import Plan


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
    restored.stand_still()  # from now on no worker does anything
    plan = replay.plan(folder, also=also)
    if plan is None:
        if restored.held() is not None:
            restored.release()  # it died after its last line
        return None
    walk = Verification()
    while walk.step():
        verifying(walk)
    if walk.wrong is not None:
        raise NotRestored(f"The ledger of the backup is wrong. {walk.wrong}")
    forgotten = replay.replay(plan, actor=actor)
    reconciliation.owe()
    report = _reconcile(may_exceed=may_exceed, comparing=comparing)
    if report is not None and report.is_stopped:
        return Restored(plan, forgotten, report, None)
    return Restored(plan, forgotten, report, finish.finish(plan, actor=actor))


def _reconcile(*, may_exceed: bool, comparing: Callable[[Report], None]) -> Report | None:
    mailchimp = members_for(config.current())
    if mailchimp is None:
        return None
    with closing(mailchimp):
        report = reconcile_now(mailchimp, full=True, may_exceed=may_exceed, watch=comparing)
    if report is None:
        raise NotRestored("Another reconciliation is under way: wait for its end.")
    return report
