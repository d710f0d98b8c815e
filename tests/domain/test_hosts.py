"""The names of hosts: in ASCII, and the one that a browser would go to."""

from __future__ import annotations

import pytest

from newsletter.domain.hosts import ascii_name, origin_of


@pytest.mark.parametrize(
    ("name", "in_ascii"),
    [
        ("www.straße-test.de", "www.xn--strae-test-83a.de"),
        ("www.strasse-test.de", "www.strasse-test.de"),
        ("Bücher.Example.COM", "xn--bcher-kva.example.com"),
        ("例え。jp", "xn--r8jz45g.jp"),
        ("r3---x.example", "r3---x.example"),
        ("xn--i-7iq.ws", "xn--i-7iq.ws"),
        ("localhost", "localhost"),
    ],
)
def test_a_name_is_written_as_browsers_write_it(name: str, in_ascii: str) -> None:
    assert ascii_name(name) == in_ascii
    assert ascii_name(in_ascii) == in_ascii


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "a..b",
        "a.",
        "-a.de",
        "a-.de",
        "a_b.de",
        "a b.de",
        "a>.de",
        "＞.de",
        "℀.de",
        "a%2ede",
        "[::1]",
    ],
)
def test_anything_but_letters_digits_and_hyphens_is_no_name(name: str) -> None:
    with pytest.raises(ValueError, match="no name of a host"):
        ascii_name(name)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://www.straße-test.de:443/x?y#z", "https://www.xn--strae-test-83a.de"),
        ("http://[0:0::1]:9000", "http://[::1]:9000"),
    ],
)
def test_an_origin_has_its_host_in_ascii(url: str, origin: str) -> None:
    assert origin_of(url) == origin
