"""Mail as a whole is put on hold or released, by what became of single letters."""

from __future__ import annotations

from datetime import timedelta

from newsletter.domain import clock
from newsletter.domain.errors import Meaning, UnsafeLetter
from newsletter.storage import holds, notices
from newsletter.storage.notices import Code
from newsletter.worker.mail.refusals import Refusals, domain_of
from newsletter.worker.mail.replies import Refused
from newsletter.worker.mail.sending import Failed, Sent

_NOTICE_LASTS = timedelta(days=7)  #: about a letter that was unsafe to send


class Holds:
    """Decides by the letters of this process, one after the other."""

    def __init__(self) -> None:
        self._refusals = Refusals()
        self.is_ending = False  #: a wait that was cut short then says nothing about the server

    @property
    def refused_domains(self) -> set[str]:
        """The recipients' domains that were refused since the last success."""
        return self._refusals.domains

    def note_success(self, sent: Sent) -> None:
        """End a hold: the server accepts letters."""
        self._refusals.end(domain_of(sent.values.recipient))
        if sent.leased.is_probe:
            holds.end("mail")

    def note_failure(self, failed: Failed) -> bool:
        """Begin, keep or end a hold; True: mail is on hold now."""
        leased, failure = failed.leased, failed.failure
        is_unsafe = isinstance(failure, UnsafeLetter)
        if is_unsafe and failure.meaning is Meaning.GIVE_UP_ONE:
            notices.post(Code.LETTER_UNSAFE, detail=leased.ref, until=clock.now() + _NOTICE_LASTS)
        if isinstance(failure, Refused) and leased.tries == 0:
            # A letter that was refused before adds nothing new.
            self._refusals.add(failed.domain)
        if self._refuses_all(failed):
            holds.begin("mail", failure.reason)
            return True
        if leased.is_probe and (
            isinstance(failure, Refused)
            or (failure.meaning is Meaning.GIVE_UP_ONE and not is_unsafe)
        ):
            # The refusal is about this letter: the server accepts others again.
            holds.end("mail")
        return False

    def _refuses_all(self, failed: Failed) -> bool:
        if failed.failure.meaning is Meaning.HOLD_ALL:
            return not self.is_ending
        if not isinstance(failed.failure, Refused):
            return False
        held_for = (holds.reason_of("mail") or "") if failed.leased.is_probe else ""
        # The hold is because of refused letters, and one more was refused.
        goes_on = held_for.startswith(("rcpt", "data"))
        return goes_on or self._refusals.are_about_us
