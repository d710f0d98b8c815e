"""Servers that listen on a port while they are needed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Self


class Running(ABC):
    """As a context manager, starts and stops."""

    @abstractmethod
    def start(self, port: int = 0) -> None:
        """Listen on loopback; port 0 takes a free one. Raise OSError if the port is taken."""

    @abstractmethod
    def stop(self) -> None:
        """End every connection and stop listening."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
