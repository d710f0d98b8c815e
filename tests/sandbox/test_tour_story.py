"""What the tour makes of what it sees, where real processes seldom or slowly lead."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.tour import notices
from sandbox.tour.facts import Facts
from sandbox.tour.service import Answer
from sandbox.tour.story import Chapter, tell
from sandbox.tour.wire import shown

NOW = datetime.now(UTC).isoformat()
ON_ITS_WAY = {"written_at": NOW, "sent_at": None, "failed_at": None, "message_id": "<1@x>"}
SENT = ON_ITS_WAY | {"sent_at": NOW}
FAILED = ON_ITS_WAY | {"failed_at": NOW, "error": "550 5.1.1"}


def facts(
    status: str, *, letter: dict[str, Any] = SENT, there: str = "absent", **said: Any
) -> Facts:
    body = {"status": status, "letters": [letter], "mailchimp": {"status": there}, "events": []}
    return Facts("ada@example.com", Answer(200, {**body, **said}))


@pytest.mark.parametrize(
    "seen",
    [
        facts("pending", letter=ON_ITS_WAY),
        facts("returning", letter=ON_ITS_WAY),
        facts("confirmed", there="absent"),
        facts("confirmed", there="unknown"),
        facts("blocked", there="subscribed", reason="unsubscribed"),
        facts("erasing"),
        Facts("ada@example.com", Answer(404), Answer(200, {"status": "pending"})),
        Facts("ada@example.com", Answer(None)),
    ],
)
def test_what_the_worker_is_doing_is_under_way(seen: Facts) -> None:
    assert tell(seen).is_under_way


def test_a_letter_of_an_earlier_run_is_not_waited_for() -> None:
    scene = tell(facts("pending", letter=SENT))

    assert (scene.is_under_way, scene.place) == (False, "form")
    assert "before this sandbox was started" in scene.happened


def test_a_refused_letter_is_shown_with_its_reason() -> None:
    assert "550 5.1.1" in tell(facts("pending", letter=FAILED)).happened


@pytest.mark.parametrize("reason", ["complaint", "bounce", "staff", "not_me"])
def test_a_hard_block_leads_to_erasing_and_not_to_a_sign_up(reason: str) -> None:
    scene = tell(facts("blocked", reason=reason, there="unsubscribed"))

    assert (scene.chapter, scene.place) == (Chapter.ERASE, "service")


def test_a_refused_token_is_shown_in_the_services_words() -> None:
    scene = tell(Facts("ada@example.com", Answer(401, {"detail": "A token is needed."})))

    assert scene.happened == "The service answered 401: A token is needed."


def test_too_many_sign_ups_are_shown_with_the_time_to_wait() -> None:
    notice = notices.refused(Answer(429, {}, "384"))

    assert "429: too many sign-ups from this machine" in notice
    assert "in 384 seconds" in notice


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ("/confirm/WyJhIl0.c2ln", "/confirm/…"),
        (
            "/lists/a1b2c3d4e5/members/3e3417d7ef77d5932a6734b916515ed5",
            "/lists/a1b2c3d4e5/members/3e3417…",
        ),
        ("/subscriptions", "/subscriptions"),
    ],
)
def test_a_path_is_shown_without_its_token(path: str, seen: str) -> None:
    assert shown(path) == seen
