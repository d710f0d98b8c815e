"""What `newsletter check` finds wrong, and how to mend it: one sentence each."""

from __future__ import annotations

from newsletter import config, database, keyring
from newsletter.delivery.mailchimp import mailchimp_for
from newsletter.delivery.smtp import postbox_for
from newsletter.errors import DeliveryFailure, WrongDataKey


def findings() -> list[str]:
    """Every problem of the running configuration, worst first; empty where all is in order."""
    return [*_database(), *_mail(), *_mailchimp()]


def _database() -> list[str]:
    try:
        keyring.check()
    except WrongDataKey as error:
        return [f"{error} Set the key that was used when the database was made."]
    if not database.is_ready():
        return [
            "DATABASE_URL: the database cannot be reached or is not at the newest schema; "
            "start it, then run `newsletter release`."
        ]
    return []


def _mail() -> list[str]:
    postbox = postbox_for(config.current())
    try:
        postbox.probe()
    except DeliveryFailure as failure:
        return [f"SMTP_URL: the mail server does not take letters from us ({failure.reason})."]
    finally:
        postbox.close()
    return []


def _mailchimp() -> list[str]:
    mailchimp = mailchimp_for(config.current())
    if mailchimp is None:
        return ["MAILCHIMP_API_KEY: is not set, so that confirmed people wait to be added there."]
    try:
        mailchimp.ping()
        mailchimp.check_list()
    except DeliveryFailure as failure:
        name = "MAILCHIMP_LIST_ID" if failure.reason == "list_unknown" else "MAILCHIMP_API_KEY"
        return [f"{name}: Mailchimp does not take it ({failure.reason})."]
    finally:
        mailchimp.close()
    return []
