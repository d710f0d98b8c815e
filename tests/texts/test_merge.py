"""Mail merge: what is filled in is what composing the e-mail anew would make, octet by octet."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import settings as as_set
from hypothesis import strategies as st

from newsletter.config import Settings, load
from newsletter.domain.errors import UnsafeLetter
from newsletter.texts import brand, letters, merge
from newsletter.texts.formatting import register
from newsletter.texts.letters import Finished, LetterValues
from tests.conftest import COMPANY as VARIABLES
from tests.texts.test_letters import COMPANY, EVERY_LETTER, each_letter
from tests.texts.test_letters import values as confirmation

_TOKENS = st.text("ABab019-_", min_size=44, max_size=45)
_HEX = st.text("0123456789abcdef", min_size=32, max_size=32)
_RECIPIENTS = st.from_regex(r"[a-z0-9.+_-]{1,60}", fullmatch=True).map("{}@example.com".format)
#: Few minutes, so that letters share a form.
_TIMES = st.timedeltas(timedelta(0), timedelta(minutes=2)).map(
    datetime(2026, 3, 1, 22, 59, tzinfo=UTC).__add__
)
_TEXTS = st.text(st.characters(exclude_categories=["C", "Z"]) | st.just(" "), max_size=300)


def differing(asked: LetterValues) -> st.SearchStrategy[LetterValues]:
    """The same letter to anybody."""
    fields: dict[str, st.SearchStrategy[Any]] = {
        "recipient": _RECIPIENTS,
        "reference": _HEX,
        "message_id": _HEX.map("<{}@news.example.com>".format),
        "sent_at": st.integers(0, 2**32).map(lambda at: datetime.fromtimestamp(at, UTC)),
        "expires_at": _TIMES,
        "requested_at": _TIMES,
        "confirmed_at": _TIMES,
        "consent_text": st.sampled_from(["Ja, ich will.", "Oh yes: " * 30]) | _TEXTS,
        "is_correction": st.booleans(),
        **dict.fromkeys(asked.opening, _TOKENS.map("https://news.example.com/x/{}".format)),
    }
    asks = {name: strategy for name, strategy in fields.items() if name in vars(asked)}
    return st.fixed_dictionaries(asks).map(lambda found: replace(asked, **found))


@pytest.fixture(autouse=True, scope="module")
def _texts() -> Iterator[None]:
    with showing():
        yield


@contextmanager
def showing(folder: Path | None = None) -> Iterator[Flask]:
    """The texts, with those of a brand."""
    app = brand.new_flask()
    if folder is not None:
        app.jinja_loader = brand.loader(folder)
    register(app)
    with app.app_context():
        yield app


def composed(values: LetterValues, company: Settings) -> Finished | str:
    try:
        return letters.finish(values, company)
    except UnsafeLetter as error:
        return str(error)


def merged(values: LetterValues, company: Settings) -> Finished | str:
    try:
        return merge.finish(values, company)
    except UnsafeLetter as error:
        return str(error)


@as_set(deadline=None, max_examples=150)
@given(values=st.sampled_from(EVERY_LETTER).flatmap(differing))
def test_it_makes_what_composing_makes(values: LetterValues) -> None:
    assert merged(values, COMPANY) == composed(values, COMPANY)


@as_set(deadline=None, max_examples=40)
@given(
    names=st.fixed_dictionaries(
        {
            "ORGANISATION": st.sampled_from(["Muster & Söhne", "=?utf-8?q?x?=", "M" * 200]),
            "IMPRINT": _TEXTS.map("Muster{}".format),
            "TOPICS": _TEXTS.map("Neuem{}".format),
        }
    ),
    values=st.sampled_from(EVERY_LETTER).flatmap(differing),
)
def test_it_makes_what_composing_makes_of_any_settings(
    names: dict[str, str], values: LetterValues
) -> None:
    company = load({**VARIABLES, **names})

    assert merged(values, company) == composed(values, company)


@pytest.mark.parametrize(
    "recipient", ["ada@example.com\r\nBcc: x@evil.de", "grüße@evil.de", "=?utf-8?q?x?=@evil.de", ""]
)
@each_letter
def test_an_unsafe_recipient_is_refused_as_when_it_is_composed(
    asked: LetterValues, recipient: str
) -> None:
    merge.finish(asked, COMPANY)

    with pytest.raises(UnsafeLetter, match="To"):
        merge.finish(replace(asked, recipient=recipient), COMPANY)


def numbered(asked: LetterValues, number: int) -> LetterValues:
    """The same letter to the person with this number, some seconds later within its minute."""
    later = {
        name: value.replace(second=number)
        for name, value in vars(asked).items()
        if isinstance(value, datetime)
    }
    person: dict[str, Any] = {
        **later,
        "recipient": f"person-{number}{'x' * 25 * number}@example.com",
        "reference": f"{number:032x}",
        "message_id": f"<{number}@example.com>",
        **{name: f"https://news.example.com/{name}/{number:044}" for name in asked.opening},
    }
    return replace(asked, **person)


@each_letter
def test_letters_of_one_minute_are_composed_for_the_first_person_alone(
    asked: LetterValues, monkeypatch: pytest.MonkeyPatch
) -> None:
    merge.finish(numbered(asked, 1), COMPANY)
    expected = letters.finish(numbered(asked, 2), COMPANY)
    monkeypatch.setattr(letters, "compose", None)

    assert merge.finish(numbered(asked, 2), COMPANY) == expected


@pytest.mark.parametrize(
    "shown",
    [
        "{{ letter.requested_at|clock_time('de', zone, with_seconds=True) }}",
        "{{ letter.sent_at }}",
        "An {{ letter.recipient }}",
        "{{ 'x' * 50 }} {{ letter.message_id }}",
        "{{ 'x' * 50 }} {{ letter.sent_at|long_date('de', zone) }}",
        "{{ letter.reference[:8] }}",
        "{{ letter.confirm_url|upper }}",
        "{{ letter.confirm_url|wordwrap(20) }}",
        "{{ letter.confirm_url|urlencode }}",
    ],
)
def test_whatever_a_brands_template_shows_is_as_if_composed(tmp_path: Path, shown: str) -> None:
    shutil.copytree(brand.TEMPLATES / "letters", tmp_path / "letters")
    template = tmp_path / "letters" / "confirmation.de.txt"
    template.write_text(template.read_text("utf-8") + shown + "\n", "utf-8")

    with showing(tmp_path):
        for number in range(3):
            values = numbered(confirmation("de"), number)
            assert merge.finish(values, COMPANY) == letters.finish(values, COMPANY)
