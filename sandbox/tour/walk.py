"""One walk through the tour: its person, and what each button does to the running processes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

from sandbox.mailbox import Mailbox
from sandbox.mailchimp import StandIn
from sandbox.tour import notices, story
from sandbox.tour.facts import Facts
from sandbox.tour.service import Answer, Service

SETTLE_SECONDS = 6.0
LOOK_SECONDS = 0.4
REFRESHING = timedelta(minutes=2)
NAMES = ("ada", "grace", "hedy", "alan", "edith", "konrad", "lise", "emmy")


class Walk:
    """There is one visitor, so all tabs show one walk."""

    def __init__(self, mailchimp: StandIn, mailbox: Mailbox, service: Service) -> None:
        self.mailchimp, self.mailbox, self.service = mailchimp, mailbox, service
        self.email = ""
        self.typed = ""  #: the form's value beside an error
        self.notice: str | None = None  #: the trouble of the last button, if any
        self.pressed_at = datetime.now(UTC)
        self._old_letters = 0
        self._erasures: dict[str, str] = {}
        self._leave_paths: dict[str, str] = {}
        self._data_paths: dict[str, str] = {}

    def look(self) -> Facts:
        """Collect the present facts."""
        self._follow_newest_letter()
        return self.facts_with(self.service.access(self.email)) if self.email else Facts()

    def facts_with(self, access: Answer) -> Facts:
        """The service's answer, and what mailbox and Mailchimp have about the same person."""
        email = str(access.body.get("email") or self.email)  # as the service writes it
        letters = enumerate(list(self.mailbox.letters), start=1)
        to_them = {id(letter) for letter in self.mailbox.letters_to(email)}
        return Facts(
            email=email,
            access=access,
            erasure=self._erasure(access),
            letters=tuple((number, each) for number, each in letters if id(each) in to_them),
            contact=self.mailchimp.contacts.get(email.lower()),
            is_forgotten=email in self.mailchimp.forgotten,
            leave_path=self._leave_paths.get(self.email.lower()),
            data_path=self._data_paths.get(self.email.lower()),
        )

    def settle(self) -> Facts:
        """Poll until nothing is under way, or a page's patience is over."""
        ends = time.monotonic() + SETTLE_SECONDS
        while True:
            facts = self.look()
            if not story.tell(facts).is_under_way or time.monotonic() > ends:
                return facts
            threading.Event().wait(LOOK_SECONDS)

    def is_refreshing(self) -> bool:
        """Whether the page is to reload by itself."""
        return datetime.now(UTC) - self.pressed_at < REFRESHING

    def forget_notice(self) -> None:
        self.typed, self.notice = "", None

    def suggestion(self) -> str:
        """An address that is new here."""
        return next(email for email in _names() if not self._is_known(email))

    def follow(self, email: str) -> None:
        """Show this person from now on."""
        self.forget_notice()
        self.email, self.pressed_at = email.strip(), datetime.now(UTC)

    def begin_anew(self) -> None:
        """Show nobody until a letter arrives."""
        self.follow("")
        self._old_letters = len(self.mailbox.letters)

    def sign_up(self, email: str, wording: str, languages: str) -> None:
        """Send the form, and wait for the letter."""
        before, pressed_at = self.service.access(email), datetime.now(UTC)
        answer = self.service.sign_up(email, wording, languages)
        if answer.status != 202:
            self.typed, self.notice = email, notices.refused(answer)
            return
        self.follow(email)
        self.pressed_at = pressed_at
        self.notice = notices.unanswered(Facts(email, before), self.settle())

    def confirm(self, email: str) -> None:
        """Press the button behind the letter's link, and wait for Mailchimp."""
        self.follow(email)
        if self._press_confirm():
            self.settle()

    def leave_by_link(self, email: str) -> None:
        """Press the button behind the unsubscribe link that the confirmation's answer names."""
        self.follow(email)
        if self.email.lower() not in self._leave_paths and not self._press_confirm():
            return
        self._take(self.service.press(self.email, self._leave_paths[self.email.lower()]))
        self.settle()

    def unsubscribe_there(self, email: str) -> None:
        """Leave by the link in a newsletter that Mailchimp sent; raise LookupError for a stranger."""
        self.follow(email)
        self.mailchimp.unsubscribes(self.email)
        self.settle()

    def answer_mailchimp(self, email: str) -> None:
        """Confirm Mailchimp's own request; raise LookupError if there is none."""
        self.follow(email)
        self.mailchimp.confirms_at_mailchimp(self.email)
        self.settle()

    def erase(self, email: str) -> None:
        """Erase a person, as staff do, and wait until it is done in every place."""
        self.follow(email)
        answer = self.service.erase(self.email)
        if self._take(answer):
            self._erasures[self.email.lower()] = str(answer.body["id"])
            self.settle()

    def _press_confirm(self) -> bool:
        path = self.look().confirm_path
        if path is None:
            self.notice = notices.no_letter()
            return False
        answer = self.service.press(self.email, path)
        if leave_path := notices.path_of(answer.body.get("unsubscribe")):
            self._leave_paths[self.email.lower()] = leave_path
        if data_path := self.service.data_path(path):
            self._data_paths[self.email.lower()] = data_path
        return self._take(answer)

    def _take(self, answer: Answer) -> bool:
        if answer.status in (200, 202):
            return True
        self.notice = notices.refused(answer)
        return False

    def _erasure(self, access: Answer) -> Answer | None:
        key = self.email.lower()
        if erasure_id := access.body.get("erasure_id"):
            self._erasures[key] = str(erasure_id)
        is_open = key in self._erasures and not access.is_missing
        return self.service.erasure(self._erasures[key]) if is_open else None

    def _is_known(self, email: str) -> bool:
        is_there = email in self.mailchimp.contacts or email in self.mailchimp.forgotten
        return is_there or bool(self.mailbox.letters_to(email))

    def _follow_newest_letter(self) -> None:
        if not self.email and len(self.mailbox.letters) > self._old_letters:
            self.email = self.mailbox.letters[-1].recipients[0]


def _names() -> Iterator[str]:
    for number in count(1):
        yield from (f"{name}{number if number > 1 else ''}@example.com" for name in NAMES)
