"""A list is brought by the desk: tried out first, then taken, and nothing of the file is kept in between."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, stream_encode_multipart

from newsletter.web.desk import importing
from tests.conftest import ClientWith
from tests.people import ADA, GRACE, access, status_of
from tests.web.callers import BROWSER
from tests.web.desk.visitor import Visitor
from tests.web.snippets import Document

EXPORTS = Path(__file__).parent.parent.parent / "cli" / "exports"
SUBSCRIBED = EXPORTS / "subscribed_email_audience_export_1a2b3c4d5e.csv"
HEADING = "email,confirmed_at\n"
LIST = f"{HEADING}{ADA},2020-05-01\n{GRACE},\nnobody,2020-05-01\n".encode()


def brings(staff: Visitor, content: bytes, name: str = "list.csv", **fields: str) -> TestResponse:
    """Send a file with the form of the last page."""
    form = {"csrf_token": staff.csrf, "file": FileStorage(io.BytesIO(content), name), **fields}
    # In memory: werkzeug's client leaves the temporary file of a large body open.
    body, _, boundary = stream_encode_multipart(form, use_tempfile=False)
    kind = f"multipart/form-data; boundary={boundary}"
    return staff.client.post("/desk/import", data=body.read(), content_type=kind, headers=BROWSER)


def fields_of(answer: TestResponse) -> dict[str, str]:
    """What the page's form for taking it over sends besides the file and its code."""
    fields = Document(answer.text).fields()
    return {name: fields[name] for name in fields if name not in ("file", "csrf_token")}


def tried(staff: Visitor, content: bytes, name: str = "list.csv", **fields: str) -> TestResponse:
    staff.opens("/desk/import")
    answer = brings(staff, content, name, **fields)
    assert answer.status_code == 200, answer.text
    assert "Was aus der Datei würde" in answer.text
    return answer


def report_of(answer: TestResponse) -> dict[str, str]:
    page = Document(answer.text)
    names, values = ([it.words for it in page.named(tag)] for tag in ("dt", "dd"))
    return dict(zip(names, values, strict=True))


def test_a_file_is_tried_out_and_nothing_changes(staff: Visitor, client: FlaskClient) -> None:
    report = report_of(tried(staff, LIST))

    assert report == {
        "Bestätigt: 1": "Zeile 2",
        "Abgelehnt, kein Zeitpunkt der Einwilligung: 1": "Zeile 3",
        "Abgelehnt, keine E-Mail-Adresse: 1": "Zeile 4",
        "Aus jeder Zeile gelesen": "email, confirmed_at",
        "Nicht gelesen": "nichts",
    }
    assert status_of(client, ADA) == "unknown"


def test_the_same_file_sent_again_is_taken_over(staff: Visitor, client: FlaskClient) -> None:
    fields = fields_of(tried(staff, LIST))

    answer = brings(staff, LIST, **fields)
    assert "<h1>Übernommen</h1>" in answer.text
    assert report_of(answer)["Bestätigt: 1"] == "Zeile 2"
    assert (status_of(client, ADA), status_of(client, GRACE)) == ("confirmed", "unknown")
    [event] = [each for each in access(client, ADA)["events"] if each["event"] == "imported"]
    assert event["actor"] == "dpo"


@pytest.mark.parametrize(("rows", "said"), [(1, "Eine Liste: 1 Zeile, utf-8"), (2, "2 Zeilen")])
def test_the_heading_does_not_count_as_a_row(staff: Visitor, rows: int, said: str) -> None:
    assert said in tried(staff, HEADING.encode() + b"nobody,\n" * rows).text


def test_another_file_is_tried_out_instead(staff: Visitor, client: FlaskClient) -> None:
    fields = fields_of(tried(staff, LIST))

    answer = brings(staff, f"{HEADING}{GRACE},2020-05-01\n".encode(), **fields)
    assert "Das ist eine andere Datei als die ausprobierte" in answer.text
    assert (status_of(client, ADA), status_of(client, GRACE)) == ("unknown", "unknown")


def test_what_was_ticked_is_kept_for_taking_over(staff: Visitor, client: FlaskClient) -> None:
    answer = tried(staff, LIST, without_proof="1")
    assert report_of(answer)["Ohne Nachweis bestätigt: 1"] == "Zeile 3"

    brings(staff, LIST, **fields_of(answer))
    assert status_of(client, GRACE) == "confirmed"


def test_mailchimps_export_is_taken_and_its_other_columns_are_named(staff: Visitor) -> None:
    report = report_of(tried(staff, SUBSCRIBED.read_bytes(), SUBSCRIBED.name))

    assert report["Bestätigt: 2"] == "Zeilen 2-3"
    assert "First Name, Last Name, Address, Phone Number" in report["Nicht gelesen"]


def test_a_renamed_file_of_subscribers_is_taken_if_staff_say_so(staff: Visitor) -> None:
    staff.opens("/desk/import")
    refused = brings(staff, SUBSCRIBED.read_bytes(), "list.csv")
    assert refused.status_code == 422
    assert "beginnt nicht mit „subscribed_“" in refused.text

    answer = tried(staff, SUBSCRIBED.read_bytes(), "list.csv", subscribed="1")
    assert fields_of(answer)["subscribed"] == "1"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "Die Datei ist leer."),
        (b'email,confirmed_at\n"ada', "In Zeile 2 beginnt ein Anführungszeichen"),
        (
            b"email,confirmed_at\na@example.com\n",
            "Zeile 2 hat nicht so viele Felder wie die Kopfzeile (1 statt 2)",
        ),
        (b"name\nAda\n", "weder der Export einer Zielgruppe von Mailchimp"),
        (b"newsletter-encrypted/1\n", "Ein verschlüsselter Export"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_german(
    staff: Visitor, content: bytes, said: str
) -> None:
    staff.opens("/desk/import")

    answer = brings(staff, content)
    assert answer.status_code == 422
    assert said in answer.text


def test_and_in_english(staff: Visitor) -> None:
    staff.opens("/desk/import?locale=en")

    assert (
        "Row 2 does not have as many fields as the heading (1, not 2)"
        in brings(staff, b"email,confirmed_at\na\n").text
    )


def test_without_a_file_the_form_is_shown_again(staff: Visitor) -> None:
    staff.opens("/desk/import")

    answer = staff.sends("/desk/import")
    assert answer.status_code == 422
    assert "Wählen Sie eine Datei." in answer.text


def test_a_file_that_is_too_large_is_refused_with_the_limit(staff: Visitor) -> None:
    staff.opens("/desk/import")

    answer = brings(staff, b"x" * importing.LONGEST)
    assert answer.status_code == 413
    assert "Die Datei ist größer als 1 MB." in answer.text


def test_a_file_that_does_not_fit_into_memory_at_once_is_read(staff: Visitor) -> None:
    note = "x" * 700_000

    report = report_of(tried(staff, f"email,confirmed_at,note\n{ADA},,{note}\n".encode()))
    assert report["Abgelehnt, Quelle oder Vermerk mit mehr als 1.000 Zeichen: 1"] == "Zeile 2"


def test_a_file_of_too_many_rows_is_refused_with_the_limit(staff: Visitor) -> None:
    staff.opens("/desk/import")

    answer = brings(staff, b"email,confirmed_at\n" + b",\n" * importing.MOST_ROWS)
    assert answer.status_code == 422
    assert "Die Datei hat mehr als 10.000 Zeilen" in answer.text


def test_other_forms_of_the_desk_are_as_short_as_before(staff: Visitor) -> None:
    staff.opens("/desk/people")

    assert staff.sends("/desk/people", who="x" * 20_000).status_code == 413


def test_while_one_list_is_taken_over_another_waits(staff: Visitor) -> None:
    staff.opens("/desk/import")

    with importing._one_at_a_time:
        answer = brings(staff, LIST)
    assert answer.status_code == 503
    assert "Gerade wird eine andere Liste übernommen." in answer.text
    assert brings(staff, LIST).status_code == 200


def test_a_token_that_only_sees_brings_no_list(client_with: ClientWith) -> None:
    visitor = Visitor(client_with(ADMIN_TOKENS="support:a-token-that-only-sees:read"))
    visitor.signs_in("a-token-that-only-sees")

    assert "/desk/import" not in visitor.opens("/desk")
    visitor.opens("/desk/import", status=403)
    assert brings(visitor, LIST).status_code == 403


def test_a_file_without_the_forms_code_is_not_read(staff: Visitor, client: FlaskClient) -> None:
    fields = fields_of(tried(staff, LIST))
    staff.csrf = "another"

    assert brings(staff, LIST, **fields).status_code == 400
    assert status_of(client, ADA) == "unknown"
