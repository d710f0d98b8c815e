"""When a request is there as a whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.app.arrival import LONGEST, LONGEST_HEAD, Arrival

HEAD = b"POST /subscriptions HTTP/1.1\r\nHost: x\r\n"
WHOLE = [
    b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n",
    HEAD + b"Content-Length: 5\r\n\r\nhello",
    HEAD + b"content-length:5 \r\n\r\n\r\n\r\n!",
    HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    HEAD
    + b"Transfer-Encoding: chunked\r\n\r\n05 ;why=not\r\n0\r\n\r\n\r\n00\r\nTrailer: x\r\n\r\n",
]


@pytest.mark.parametrize("request_", WHOLE)
@given(cuts=st.lists(st.integers(0, 120)))
def test_it_is_whole_with_its_last_octet(request_: bytes, cuts: list[int]) -> None:
    arrival, last = Arrival(), 0
    for cut in sorted({min(cut, len(request_) - 1) for cut in cuts}):
        arrival.add(request_[last:cut])
        last = cut
        assert not arrival.is_whole

    arrival.add(request_[last:])

    assert arrival.is_whole
    assert not arrival.is_cut


@pytest.mark.parametrize("request_", WHOLE)
def test_what_comes_behind_it_is_kept(request_: bytes) -> None:
    arrival = Arrival(request_ + b"GET / HT")

    assert arrival.is_whole
    assert arrival.octets == request_ + b"GET / HT"


@pytest.mark.parametrize(
    "octets",
    [
        b"G" * (LONGEST_HEAD + 1),
        HEAD + b"Content-Length: %d\r\n\r\n" % (LONGEST + 1),
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"5\r\nhello\r\n" * (LONGEST // 10),
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"5" * (LONGEST_HEAD + 1),
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nhello\r\n",
    ],
)
def test_what_is_too_long_or_no_chunk_is_waited_for_no_longer(octets: bytes) -> None:
    arrival = Arrival(octets)

    assert arrival.is_whole
    assert arrival.is_cut


def test_who_asks_whether_to_send_a_body_is_known_until_it_comes() -> None:
    arrival = Arrival(HEAD + b"Expect: 100-Continue\r\nContent-Length: 5\r\n\r\n")
    assert arrival.expects_continue

    arrival.add(b"he")

    assert not arrival.expects_continue
