"""A strict stand-in of Mailchimp's Marketing API 3.0 over real HTTP, on loopback.

It holds one audience with the rules Mailchimp is known to keep, answers in Mailchimp's own words
and sends webhooks. `StandIn` is all that a test or `make run` needs; `answers` and `problems` hold
the answers that it can be scripted to give.
"""

from sandbox.mailchimp.answers import Answer
from sandbox.mailchimp.contacts import Contact, id_of
from sandbox.mailchimp.hooks import WebhookCall
from sandbox.mailchimp.script import Call
from sandbox.mailchimp.standin import StandIn

__all__ = ["Answer", "Call", "Contact", "StandIn", "WebhookCall", "id_of"]
