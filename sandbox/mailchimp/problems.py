"""Mailchimp's known problems, word for word."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.mailchimp.answers import Answer, problem

MAX_SIMULTANEOUS = 10


def in_compliance_state(email: str) -> Answer:
    """The person left, bounced or complained, and cannot be subscribed by anyone else."""
    return problem(
        400,
        "Member In Compliance State",
        f"{email} is in a compliance state due to unsubscribe, bounce, or compliance review and "
        "cannot be subscribed.",
    )


def forgotten(email: str) -> Answer:
    """The person was permanently deleted."""
    return problem(
        400,
        "Forgotten Email Not Subscribed",
        f"{email} was permanently deleted and cannot be re-imported. The contact must re-subscribe "
        "to get back on the list.",
    )


def member_exists(email: str) -> Answer:
    """A POST, or a change of address, to an address that exists."""
    detail = f"{email} is already a list member. Use PUT to insert or update list members."
    return problem(400, "Member Exists", detail)


def looks_fake(email: str) -> Answer:
    """An address at a domain that Mailchimp refuses."""
    detail = f"{email} looks fake or invalid, please enter a real email address."
    return problem(400, "Invalid Resource", detail)


def no_email() -> Answer:
    """Not an address at all."""
    return problem(400, "Invalid Resource", "Please provide a valid email address.")


def too_many_lists(email: str) -> Answer:
    """A temporary refusal, despite its 400."""
    detail = (
        f"{email} has signed up to a lot of lists very recently; "
        "we're not allowing more signups for now"
    )
    return problem(400, "Invalid Resource", detail)


def too_many_requests(email: str) -> Answer:
    """The same in other words."""
    return problem(400, "Invalid Resource", f"{email} has too many recent signup requests")


def not_updatable(status: str) -> Answer:
    """A change of address of somebody who is not subscribed."""
    detail = (
        f'This member\'s status is "{status}." You can only update email addresses for members '
        'with a status of "subscribed."'
    )
    return problem(400, "Invalid Resource", detail)


def no_merge_fields(names: Sequence[str]) -> Answer:
    """Required merge fields are missing."""
    errors = [{"field": name, "message": "Please enter a value"} for name in names]
    return problem(400, "Invalid Resource", "Your merge fields were invalid.", errors=errors)


def invalid(errors: Sequence[dict[str, str]]) -> Answer:
    """The body or the query does not fit the schema."""
    detail = (
        "The resource submitted could not be validated. "
        "For field-specific details, see the 'errors' array."
    )
    return problem(400, "Invalid Resource", detail, errors=errors)


def bad_request() -> Answer:
    """Not a request that Mailchimp understands, such as a body not declared as JSON."""
    return problem(400, "Bad Request", "Your request could not be processed.")


def unparsable() -> Answer:
    """A body that is not JSON."""
    return problem(400, "JSON Parse Exception", "We encountered an unspecified JSON parsing error.")


def key_missing() -> Answer:
    """No Authorization header."""
    return problem(401, "API Key Missing", "Your request did not include an API key.")


def key_invalid() -> Answer:
    """An invalid key, or one of another data centre."""
    detail = "Your API key may be invalid, or you've attempted to access the wrong datacenter."
    return problem(401, "API Key Invalid", detail)


def key_disabled() -> Answer:
    """A key that was switched off."""
    return problem(401, "API Key Invalid", "API key has been disabled")


def user_disabled() -> Answer:
    """A closed account."""
    return problem(403, "User Disabled", "This account has been deactivated.")


def not_found() -> Answer:
    """No such list, member, webhook or route."""
    return problem(404, "Resource Not Found", "The requested resource could not be found.")


def wrong_method(allow: str) -> Answer:
    """The route is there, but not for this method."""
    detail = (
        "The requested method and resource are not compatible. "
        "See the Allow header for this resource's available methods."
    )
    return problem(405, "Method Not Allowed", detail, allow=allow)


def not_archivable() -> Answer:
    """Archiving somebody who is cleaned, pending or archived."""
    detail = (
        "This list member cannot be removed. "
        "Can not archive a contact that is bounced, pending or archived"
    )
    return problem(405, "Method Not Allowed", detail, allow="GET, PUT")


def too_many_connections() -> Answer:
    """More than ten requests at once."""
    detail = f"You have exceeded the limit of {MAX_SIMULTANEOUS} simultaneous connections."
    return problem(429, "Too Many Requests", detail)


def internal_error() -> Answer:
    detail = (
        "A deep, internal error has occurred during the processing of your request. "
        "Please contact support."
    )
    return problem(500, "InternalServerError", detail)
