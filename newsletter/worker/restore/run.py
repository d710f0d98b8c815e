"""`newsletter retention --after-restore`: erases again, everywhere, whoever was erased since a backup."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from newsletter import config
from newsletter.domain.errors import NotRestored
from newsletter.ledger.verifying import Verification
from newsletter.storage.runs import reconciliation
from newsletter.worker.mailchimp.client import client_for
from newsletter.worker.mailchimp.listing import MailchimpMembers
from newsletter.worker.reconcile.report import Report
from newsletter.worker.reconcile_now import reconcile_now
from newsletter.worker.restore import finish, replay
from newsletter.worker.restore.replay import Plan


@dataclass(frozen=True)
class Restored:
    """What was done."""

    plan: Plan
    erased: int
    reconciled: Report | None  #: None: without a Mailchimp key, a full reconciliation is owed
    is_finished: bool  #: False: workers still refuse to start


def restore_now(
    folder: Path,
    *,
    actor: str,
    trusted_key: str | None,
    may_exceed: bool,
    on_verified: Callable[[Verification], None],
    on_compared: Callable[[Report], None],
) -> Restored | None:
    """Do everything that a restored backup needs; None: nothing is to be done. Raise NotRestored and DeliveryFailure.

    `trusted_key`: the fingerprint of one more key whose checkpoints are trusted. `on_verified` and `on_compared` are
    called with the progress. After a crash it can be run again.
    """
    plan = replay.plan(folder, trusted_key=trusted_key)
    if plan is None:
        return None
    walk = Verification()
    while walk.step():
        on_verified(walk)
    if walk.fault is not None:
        raise NotRestored(f"The ledger of the backup is wrong. {walk.fault}")
    erased = replay.replay(plan, actor=actor)
    reconciliation.require_full()
    report = _reconcile(may_exceed=may_exceed, on_compared=on_compared)
    is_stopped = report is not None and report.is_stopped
    if not is_stopped:
        finish.finish(plan, actor=actor)
    return Restored(plan, erased, report, is_finished=not is_stopped)


def _reconcile(*, may_exceed: bool, on_compared: Callable[[Report], None]) -> Report | None:
    mailchimp = client_for(config.current(), MailchimpMembers)
    if mailchimp is None:
        return None
    with closing(mailchimp):
        report = reconcile_now(
            mailchimp, full=True, may_exceed=may_exceed, watch=on_compared, is_correcting_only=True
        )
    if report is None:
        raise NotRestored("Another reconciliation is under way: wait for its end.")
    return report
