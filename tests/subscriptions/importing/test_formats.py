"""Which files are understood, and what is taken of a row."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO

import pytest

from newsletter.domain.address import Address
from newsletter.domain.errors import UnreadableFile
from newsletter.domain.lifecycle import MailchimpStatus, Reason
from newsletter.subscriptions.importing import formats, table
from newsletter.subscriptions.importing.entry import Entry, Refused, Why
from newsletter.subscriptions.importing.formats import Format

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FIRST, SECOND = datetime(2019, 3, 5, 10, tzinfo=UTC), datetime(2019, 3, 5, 11, tzinfo=UTC)
TIMES = "2019-03-05 10:00,2019-03-05 11:00"
ADA = Address.parse("ada@example.org")
NO_FORMAT = (
    "Neither Mailchimp's export of an audience, with the column MEMBER_RATING, nor a list with the columns"
    " email, confirmed_at, requested_at, language, source, note: the heading names none of these, or the separator"
    " is none of comma, semicolon and tab."
)
NOBODY_SAYS = (
    "Mailchimp exports contacts who never subscribed with the same columns as subscribers, in a file whose name"
    " begins with “nonsubscribed_”. The name of this one does not begin with “subscribed_”: if it lists"
    " subscribers, say so (at the command line, by --subscribed)."
)


def read(
    *lines: str, name: str = "list.csv", is_subscribed: bool = False
) -> tuple[Format, list[Entry]]:
    """The format of a file, and its entries."""
    found = table.read(BytesIO("\n".join(lines).encode()), name)
    format_ = formats.of(found, is_subscribed=is_subscribed)
    return format_, [format_.entry(row, NOW) for _, row in list(found.rows())]


@pytest.mark.parametrize(
    ("columns", "name", "title", "entry"),
    [
        (
            "OPTIN_TIME,CONFIRM_TIME",
            "Subscribed_export.csv",
            "Mailchimp's export of subscribed contacts",
            Entry(
                ADA,
                "mailchimp",
                requested_at=FIRST,
                confirmed_at=SECOND,
                at_mailchimp=MailchimpStatus.SUBSCRIBED,
            ),
        ),
        (
            "OPTIN_TIME,UNSUB_TIME",
            "list.csv",
            "Mailchimp's export of unsubscribed contacts",
            Entry(
                ADA,
                "mailchimp",
                Reason.UNSUBSCRIBED,
                left_at=SECOND,
                at_mailchimp=MailchimpStatus.UNSUBSCRIBED,
            ),
        ),
        (
            "OPTIN_TIME,CLEAN_TIME",
            "list.csv",
            "Mailchimp's export of cleaned contacts",
            Entry(
                ADA,
                "mailchimp",
                Reason.BOUNCE,
                left_at=SECOND,
                at_mailchimp=MailchimpStatus.UNSUBSCRIBED,
            ),
        ),
    ],
)
def test_mailchimps_files_are_told_by_their_columns(
    columns: str, name: str, title: str, entry: Entry
) -> None:
    format_, entries = read(
        f"Name,E-Mail Address,MEMBER_RATING,{columns},NOTES,NOTES",
        f"Lovelace,ada@example.org,4,{TIMES},,",
        name=name,
    )

    assert (format_.title, entries) == (title, [entry])
    taken = {"E-Mail Address", *columns.split(",")} - ({"OPTIN_TIME"} if entry.reason else set())
    assert set(format_.taken) == taken
    assert format_.dropped == tuple(
        each
        for each in ("Name", "MEMBER_RATING", "OPTIN_TIME", "NOTES")
        if each not in format_.taken
    )


def test_a_field_of_the_audience_is_none_of_mailchimps_columns() -> None:
    """The audience's own fields come first, and may have any name."""
    heading = "UNSUB_TIME,Name,City,MEMBER_RATING,email,MEMBER_RATING,OPTIN_TIME,CONFIRM_TIME"

    format_, [entry] = read(heading, f"u,v,w,x,ada@example.org,4,{TIMES}", is_subscribed=True)

    assert (entry.reason, entry.address.key) == (None, "ada@example.org")
    assert format_.dropped == ("UNSUB_TIME", "Name", "City", "MEMBER_RATING")


def test_a_list_of_ones_own_needs_two_columns_and_may_have_six() -> None:
    format_, entries = read("Email,CONFIRMED_AT", "ada@example.org,", "ada@example.org,2019-03-05")
    assert (format_.title, format_.taken, format_.dropped) == (
        "A list",
        ("Email", "CONFIRMED_AT"),
        (),
    )
    midnight = datetime(2019, 3, 5, tzinfo=UTC)
    assert entries == [Entry(ADA, "list", confirmed_at=stated) for stated in (None, midnight)]
    assert [entry.is_without_proof for entry in entries] == [True, False]

    format_, entries = read(
        "id,requested_at,confirmed_at,email,note,source,language",
        f"7,{TIMES},ada@example.org,Form 17,Messe,en",
    )
    assert entries == [
        Entry(
            ADA,
            "list",
            confirmed_at=SECOND,
            requested_at=FIRST,
            language="en",
            source="Messe",
            note="Form 17",
        )
    ]
    assert format_.dropped == ("id",)


def test_a_row_without_an_address_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        read("email,confirmed_at", "nobody,2020-05-01")
    assert refused.value.why is Why.NO_ADDRESS


@pytest.mark.parametrize(
    ("heading", "why"),
    [
        ("email,name", NO_FORMAT),
        ("confirmed_at,name", NO_FORMAT),
        ("email|confirmed_at", NO_FORMAT),
        ("email,Email,confirmed_at", "The heading names a column twice."),
        ("MEMBER_RATING,Email Address", "No column before MEMBER_RATING is named “Email Address”."),
        ("Email Address,MEMBER_RATING,OPTIN_TIME,CONFIRM_TIME", NOBODY_SAYS),
    ],
)
def test_a_file_of_another_kind_is_refused(heading: str, why: str) -> None:
    with pytest.raises(UnreadableFile) as refused:
        read(heading)
    assert str(refused.value) == why


def test_a_missing_column_is_named() -> None:
    with pytest.raises(UnreadableFile, match=r"^The column CONFIRM_TIME is missing\.$"):
        read("email,MEMBER_RATING,OPTIN_TIME", is_subscribed=True)
