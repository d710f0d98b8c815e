"""Who should stand at Mailchimp, and who was seen there: nine bytes for each, so that a million take 9 MB."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable

_HEAD_OCTETS = 8


class Expected:
    """The heads of digests, in their order, and a mark for each.

    Two who share a head are one: then somebody missing may pass for seen, or be looked for in vain, which is harmless.
    """

    def __init__(self) -> None:
        self._heads = array("Q")
        self._marks = bytearray()

    def add(self, digests: Iterable[bytes]) -> None:
        """Expect these; each comes after all that were added before, in the order of bytes."""
        before = len(self._heads)
        self._heads.extend(_head_of(digest) for digest in digests)
        self._marks.extend(bytes(len(self._heads) - before))

    def see(self, digest: bytes) -> None:
        """Mark somebody as there, if they are expected at all."""
        place = self._place_of(digest)
        if place is not None:
            self._marks[place] = 1

    def is_missing(self, digest: bytes) -> bool:
        """Tell whether somebody was expected and not seen."""
        place = self._place_of(digest)
        return place is not None and not self._marks[place]

    def anybody_missing(self) -> bool:
        """Tell whether anybody was expected and not seen."""
        return 0 in self._marks

    def how_many(self) -> int:
        """How many are expected."""
        return len(self._marks)

    def how_many_seen(self) -> int:
        """How many of them were seen."""
        return self._marks.count(1)

    def _place_of(self, digest: bytes) -> int | None:
        head = _head_of(digest)
        place = bisect_left(self._heads, head)
        is_there = place < len(self._heads) and self._heads[place] == head
        return place if is_there else None


def _head_of(digest: bytes) -> int:
    return int.from_bytes(digest[:_HEAD_OCTETS], "big")
