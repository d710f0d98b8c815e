"""The environment, read once into frozen Settings; no other package reads it.

A single wrong value refuses the start. docs/settings.md documents the variables, .env.example lists them.
"""

from newsletter.config.environment import (
    current,
    load,
    load_or_exit,
    quoted,
    refuse,
    variables,
)
from newsletter.config.mail import Sender, SmtpServer
from newsletter.config.settings import AdminToken, Settings
from newsletter.config.urls import is_local
from newsletter.config.values import Locale

__all__ = [
    "AdminToken",
    "Locale",
    "Sender",
    "Settings",
    "SmtpServer",
    "current",
    "is_local",
    "load",
    "load_or_exit",
    "quoted",
    "refuse",
    "variables",
]
