"""Who is expected at Mailchimp and was not seen there, in nine bytes each."""

from __future__ import annotations

import hashlib
import sys

from newsletter.worker.reconcile.expected import Expected


def digests(count: int) -> list[bytes]:
    return sorted(hashlib.sha256(str(number).encode()).digest() for number in range(count))


def test_whoever_was_not_seen_is_missing() -> None:
    first, second, third = digests(3)
    expected = Expected()
    expected.add([first, second])
    expected.add([third])

    expected.see(first)
    expected.see(third)

    assert [expected.is_missing(digest) for digest in (first, second, third)] == [0, 1, 0]
    assert expected.anybody_missing()


def test_nobody_is_missing_who_was_not_expected() -> None:
    first, second, third = digests(3)
    expected = Expected()
    expected.add([second])

    for digest in (first, second, third):
        expected.see(digest)

    assert not any(expected.is_missing(digest) for digest in (first, second, third))
    assert not expected.anybody_missing()


def test_two_who_share_a_head_never_pass_for_somebody_else() -> None:
    one, two = bytes(32), bytes(31) + b"\1"
    expected = Expected()
    expected.add([one, two])

    assert expected.anybody_missing()
    assert expected.is_missing(one)


def test_a_hundred_thousand_take_a_megabyte() -> None:
    expected = Expected()
    expected.add(digests(100_000))

    size = sys.getsizeof(expected._heads) + sys.getsizeof(expected._marks)
    assert size < 1_100_000
