"""What is an address, whose it is, and what can be held of one."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.domain.address import Address, trimmed
from newsletter.domain.errors import InvalidAddress, ReservedAddress

VALID = [
    "ada@example.com",
    "Ada.Lovelace@Example.ORG",
    "ada+news@example.com",
    "ada_l@example.com",
    "a@example.com",
    "1234567890@example.com",
    "o'brien@example.com",
    "ada-lovelace@ex-ample.com",
    "ada@sub.domain.example.com",
    "ada@example.museum",
    "ada@example.co.uk",
    "ada@123.de",
    "ada@1und1.de",
    "ada!#$%&'*+/=?^_`{|}~-@example.com",
    "x=y@example.com",
    "customer/department=shipping@example.com",
    "$A12345@example.com",
    "!def!xyz%abc@example.com",
    "a.b.c.d.e.f@example.com",
    "ada@straße.de",
    "ada@müller-lüdenscheidt.de",
    "ada@xn--mller-kva.de",
    "ada@пример.рф",
    "ada@例え.jp",
    "ada@διεύθυνση.gr",
    "ada@ÄÖÜ.de",
    "info@café.example.com",
    "ada@a.io",
    "ada@example.technology",
    "first.last+tag+tag2@example.com",
    "UPPER@EXAMPLE.COM",
    "ada@e-x-a-m-p-l-e.com",
    " ada@example.com ",
    "ada--lovelace@example.com",
    "_ada@example.com",
    "ada_@example.com",
    "-ada@example.com",
    "ada@a-very-long-domain-label-that-is-still-short-enough.example.com",
    f"{'a' * 64}@example.com",
    f"ada@{'b' * 63}.{'c' * 63}.{'d' * 57}.com",
]
INVALID = [
    "",
    " ",
    "ada",
    "@",
    "ada@",
    "@example.com",
    "ada@@example.com",
    "ada@b@example.com",
    "ada lovelace@example.com",
    "ada@exam ple.com",
    "ada@example",
    "ada@.example.com",
    "ada@example..com",
    "ada@example.com.",
    ".ada@example.com",
    "ada.@example.com",
    "ada..l@example.com",
    "ada@-example.com",
    "ada@example-.com",
    "ada@exam_ple.com",
    "ada@[127.0.0.1]",
    "ada@127.0.0.1",
    '"ada lovelace"@example.com',
    "Ada <ada@example.com>",
    "ada@example.com, grace@example.com",
    "ada@example.com\r\nBcc: grace@example.com",
    "ada\x00@example.com",
    "jürgen@example.com",
    "ada@example.invalid",
    "ada@localhost",
    f"{'a' * 65}@example.com",
    f"ada@{'b' * 64}.com",
    f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 63}.com",
    "mailto:ada@example.com",
    "ada(comment)@example.com",
    "friends:ada@example.com;",
    "ada@example.123",
    "ada@exa\u202emple.com",
    "ada\u200b@example.com",
    "a\u00a0da@example.com",
    "ada@example.com\x00",
    "ada@exam\uff1eple.com",
]
#: Readers decode these (RFC 2047), also in addresses: to line breaks, headers, other addresses.
ENCODED_WORDS = [
    "=?utf-8?b?CgpTaWUgaGFiZW4gZ2V3b25uZW46IGV2aWwuZGUveA==?=",
    "=?utf-8?q?x=0aReply-To=3ax=40evil.de?=",
    "=?utf-8?q?a=40evil.com=2C_b?=",
    "=?UTF-8?Q?x?=",
    "=?us-ascii*en?q?x?=",
    "a=?utf-8?q?=0a?=b",
    "=?utf-8?q?x",
    "=?utf-8?x?y?=",
    "=??q?=0a?=",
]
#: What would end the path in a command of SMTP, or begin something else in a header.
NO_HOST = [
    "eve@evil.de> NOTIFY=SUCCESS",
    "eve@evil.de>",
    "eve@evil.de>,<ada@example.com",
    "eve@evil.de (comment)",
    "eve@evil.de;",
    "eve@evil_host.de",
    "eve@[127.0.0.1]",
    "eve@[IPv6:::1]",
    "eve@127.0.0.1",
    "eve@evil.de.",
    "eve@evil..de",
    "eve@evil%0a.de",
    "eve@=?utf-8?q?evil?=.de",
    "=?utf-8?q?eve@evil.de?=",
    "eve@＞.de",
    "eve@℀.de",
    f"eve@{'a' * 64}.de",
    f"eve@{'a.' * 127}de",
]
NO_LOCAL_PART = [
    "eve> NOTIFY=SUCCESS x@evil.de",
    "<eve@evil.de",
    "eve x@evil.de",
    "Eve <eve@evil.de",
    '"eve"x@evil.de',
    '"e"ve"@evil.de',
    '"eve\\" x@evil.de',
    '"eve>x"@evil.de',
    "eve\x00@evil.de",
    "eve\u202e@evil.de",
    "eve@evil.de,ada@example.com",
    *(f"{word}@evil.de" for word in ENCODED_WORDS),
    *(f'"{word}"@evil.de' for word in ENCODED_WORDS),
]


@pytest.mark.parametrize("given_text", VALID)
def test_an_address_that_a_letter_can_reach_is_taken(given_text: str) -> None:
    address = Address.parse(given_text)

    assert address.text.isascii()
    assert address.key == address.text.lower()


@pytest.mark.requires("R32")
@pytest.mark.parametrize("given_text", INVALID)
def test_what_is_no_address_is_refused(given_text: str) -> None:
    with pytest.raises(InvalidAddress):
        Address.parse(given_text)


@pytest.mark.parametrize(
    "edge",
    [
        *("\t", "\n", "\r\n", "\x0b", "\u00a0", "\u2007", "\u202f", "\u3000", "\u2028"),
        *("\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad"),
        *("\u200e", "\u200f", "\u202a", "\u202c", "\u2066", "\u2069", "\u061c"),
    ],
)
@pytest.mark.parametrize("read", [Address.parse, Address.parse_leniently])
def test_what_is_invisible_around_an_address_is_none_of_it(
    edge: str, read: Callable[[str], Address]
) -> None:
    typed = read("Ada@example.com")

    assert read(f"{edge}Ada@example.com") == read(f"Ada@example.com{edge} {edge}") == typed


@pytest.mark.parametrize(
    "domain", ["firma.test", "Mailbox.LOCAL", "localhost", "a.invalid\n", "x.onion"]
)
def test_a_reserved_domain_is_refused_for_that_reason(domain: str) -> None:
    with pytest.raises(ReservedAddress):
        Address.parse(f"ada@{domain}")


def test_an_address_with_another_mistake_is_not_refused_as_reserved() -> None:
    with pytest.raises(InvalidAddress) as refused:
        Address.parse("ada@test.example..com")

    assert not isinstance(refused.value, ReservedAddress)


@pytest.mark.requires("R32")
def test_upper_and_lower_case_are_the_same_person() -> None:
    assert Address.parse("Ada@Example.ORG").key == Address.parse("ada@example.org").key


@pytest.mark.requires("R32")
def test_the_local_part_is_written_to_as_it_was_typed() -> None:
    assert Address.parse("Ada.L@Example.ORG").text == "Ada.L@example.org"


@pytest.mark.requires("R32")
@pytest.mark.parametrize(
    ("typed", "ascii_form"),
    [("ada@straße.de", "ada@xn--strae-oqa.de"), ("ada@Müller.de", "ada@xn--mller-kva.de")],
)
def test_an_international_domain_is_written_in_ascii(typed: str, ascii_form: str) -> None:
    assert Address.parse(typed).text == ascii_form
    assert Address.parse_leniently(typed) == Address.parse(ascii_form)


@pytest.mark.parametrize(
    "odd",
    [
        "jürgen@example.com",
        "ada@example.invalid",
        "ada@mailbox.local",
        '"ada lovelace"@example.com',
        "ada..l@example.com",
        f"{'a' * 70}@example.com",
        '"ada@home"@example.com',
    ],
)
def test_whatever_mailchimp_may_hold_can_be_named(odd: str) -> None:
    assert Address.parse_leniently(odd).key == odd.lower()


def test_an_address_has_254_characters_at_most() -> None:
    domain = f"{'b' * 63}.{'c' * 63}.{'d' * 58}.de"
    longest = f"{'a' * (254 - 1 - len(domain))}@{domain}"

    assert Address.parse(longest).text == longest
    with pytest.raises(InvalidAddress):
        Address.parse(f"a{longest}")


def test_what_is_held_has_four_times_as_many_at_most() -> None:
    longest = f"{'ü' * (4 * 254 - len('@example.com'))}@example.com"

    assert Address.parse_leniently(longest).text == longest
    with pytest.raises(InvalidAddress):
        Address.parse_leniently(f"ü{longest}")


@pytest.mark.parametrize("hopeless", ["", "ada", "@example.com", "ada@", "a\r\nb@example.com"])
def test_what_can_be_no_address_anywhere_is_refused(hopeless: str) -> None:
    with pytest.raises(InvalidAddress):
        Address.parse_leniently(hopeless)


@pytest.mark.parametrize("given_text", [*NO_HOST, *NO_LOCAL_PART])
@pytest.mark.parametrize("read", [Address.parse, Address.parse_leniently])
def test_what_means_something_else_in_a_header_or_command_is_no_address(
    given_text: str, read: Callable[[str], Address]
) -> None:
    with pytest.raises(InvalidAddress):
        read(given_text)


@pytest.mark.parametrize(
    "odd",
    [
        '"ada lovelace"@example.com',
        "jürgen@example.com",
        "a,b@example.com",
        f"{'a' * 243}@example.com",
    ],
)
def test_what_is_held_but_no_plain_address_gets_no_letter(odd: str) -> None:
    assert not Address.parse_leniently(odd).is_mailable


def test_what_a_row_holds_gets_no_letter_where_readers_would_decode_it() -> None:
    assert not Address.unchecked("=?utf-8?q?x?=@example.com").is_mailable


@pytest.mark.parametrize("given_text", VALID)
def test_whoever_signs_up_can_be_written_to(given_text: str) -> None:
    assert Address.parse(given_text).is_mailable


@pytest.mark.parametrize("given_text", VALID)
def test_strict_and_lenient_reading_agree_on_whom_they_mean(given_text: str) -> None:
    assert Address.parse_leniently(given_text) == Address.parse(given_text)


def test_an_address_shows_nothing_of_itself() -> None:
    address = Address.parse("ada@example.com")

    assert (repr(address), str(address)) == ("Address(…)", "Address(…)")


#: Pieces that mean something in a header, in an encoded word or in a command.
PIECES = [
    *(
        "ada",
        "@",
        "@example.com",
        ".",
        "..",
        "<",
        ">",
        '"',
        "\\",
        " ",
        "\t",
        ",",
        ";",
        ":",
        "(",
        ")",
        "[",
        "]",
    ),
    *(
        "=?",
        "?=",
        "?q?",
        "?b?",
        "utf-8",
        "=?utf-8?q?",
        "=0a",
        "%0a",
        "Cgo=",
        "\r\n",
        "\n",
        "\x00",
        "\u202e",
        "\u2028",
    ),
    *(
        "straße",
        "ü",
        "。",
        "＞",
        "＜",
        "＝",
        "？",
        "xn--",
        "-",
        "\ud800",
        "NOTIFY=SUCCESS",
        "[127.0.0.1]",
        "K",
    ),
]
TEXTS = st.text(max_size=300) | st.lists(st.sampled_from(PIECES), max_size=14).map("".join)


@given(TEXTS)
def test_no_text_breaks_a_parser_or_brings_more_than_an_address(text: str) -> None:
    for read in (Address.parse, Address.parse_leniently):
        try:
            address = read(text)
        except InvalidAddress:
            continue
        assert address.text.isprintable()
        assert read(address.text) == address
        assert re.fullmatch(r"[A-Za-z0-9.-]{1,253}", address.text.rpartition("@")[2])
        assert not re.search(r"=\?.*\?.*\?|[<>]", address.text)
        if address.is_mailable:
            assert re.fullmatch(r"[!-~]+", address.text)
            assert len(address.text) <= 254


@pytest.mark.parametrize(
    ("given", "mailbox"),
    [
        ("Ada@Example.org", "ada@example.org"),
        ("ada+news@example.org", "ada@example.org"),
        ("ada+a+b@example.org", "ada@example.org"),
        ("a.d.a@example.org", "a.d.a@example.org"),
        ("a.d.a@gmail.com", "ada@gmail.com"),
        ("A.da+x@googlemail.com", "ada@gmail.com"),
        ("+ada@example.org", "+ada@example.org"),
        ("..@gmail.com", "..@gmail.com"),
    ],
)
def test_all_spellings_of_a_mailbox_are_one(given: str, mailbox: str) -> None:
    assert Address.parse_leniently(given).mailbox == mailbox


@pytest.mark.parametrize(
    "text", ["", " \N{NO-BREAK SPACE}\n", "\N{ZERO WIDTH SPACE}\N{LEFT-TO-RIGHT MARK}"]
)
def test_of_a_text_that_is_invisible_nothing_is_left(text: str) -> None:
    assert trimmed(text) == ""
