"""Request bodies."""

from __future__ import annotations

import pytest
from flask import Flask
from pydantic import BaseModel, StrictStr
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from newsletter.web.http import bodies

app = Flask(__name__)


class Thing(BaseModel):
    name: StrictStr


def fields_of(body: bytes, content_type: str | None) -> object:
    with app.test_request_context("/", method="POST", data=body, content_type=content_type):
        return bodies.fields()


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"name": "x"}', "application/json"),
        (b'{"name": "x"}', "application/vnd.example+json; charset=utf-8"),
        (b"name=x&name=y", "application/x-www-form-urlencoded"),
        (
            b'--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nx\r\n--b--\r\n',
            "multipart/form-data; boundary=b",
        ),
    ],
)
def test_forms_and_json_have_the_same_fields(body: bytes, content_type: str) -> None:
    assert fields_of(body, content_type) == {"name": "x"}


URLENCODED = "application/x-www-form-urlencoded"
PARTS = b'--b\r\nContent-Disposition: form-data; name="name"\r\n\r\n%b\r\n--b--\r\n'


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"name=%C3%BC%C5%82+%26", URLENCODED),
        ("name=üł+%26".encode(), URLENCODED),
        (b"name=%FC%26%23322%3B+%26", URLENCODED),
        (b"name=\xfc%26%23322%3B+%26", URLENCODED),
        (PARTS % "üł &".encode(), "multipart/form-data; boundary=b"),
        (PARTS % b"\xfc&#322; &", "multipart/form-data; boundary=b"),
        ('{"name": "üł &"}'.encode("utf-8-sig"), "application/json"),
    ],
)
def test_a_page_in_any_encoding_says_the_same(body: bytes, content_type: str) -> None:
    assert fields_of(body, content_type) == {"name": "üł &"}


@pytest.mark.parametrize("said", [b"%81", b"%26%230%3B", b"%26%239999999%3B", b"%26%23xfc%3B"])
def test_what_means_no_character_stays_readable(said: bytes) -> None:
    assert fields_of(b"name=" + said, URLENCODED)


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/x-www-form-urlencoded", None]
)
def test_an_empty_body_has_no_fields(content_type: str | None) -> None:
    assert fields_of(b"", content_type) == {}


@pytest.mark.parametrize(
    "body", [b"{", b"\xff", b'"\xc3"', b"[" * 10_000, b"1" * 5_000, b"{'name': 'x'}"]
)
def test_broken_json_is_unreadable(body: bytes) -> None:
    with pytest.raises(BadRequest):
        fields_of(body, "application/json")


@pytest.mark.parametrize("body", [b"[]", b'"name"', b"null", b"1"])
def test_json_that_is_no_object_is_invalid(body: bytes) -> None:
    with pytest.raises(bodies.InvalidRequest):
        fields_of(body, "application/json")


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", None])
def test_a_body_of_another_kind_is_not_taken(content_type: str | None) -> None:
    with pytest.raises(UnsupportedMediaType):
        fields_of(b"name=x", content_type)


def test_a_form_is_refused_where_only_json_is_accepted() -> None:
    with (
        app.test_request_context("/", method="POST", data={"name": "x"}),
        pytest.raises(UnsupportedMediaType),
    ):
        bodies.json_fields()


@pytest.mark.parametrize("given", [{}, {"name": 1}, {"name": None}, {"name": ["ada@example.org"]}])
def test_a_wrong_field_is_named_without_its_value(given: dict[str, object]) -> None:
    with pytest.raises(bodies.InvalidRequest) as caught:
        bodies.parse(Thing, given)

    assert [problem.field for problem in caught.value.problems] == ["name"]
    assert "ada" not in str(caught.value) + repr(caught.value.problems)
    assert caught.value.__cause__ is None
