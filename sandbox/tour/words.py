"""The codes of the service, explained for newcomers."""

from __future__ import annotations

STATUSES = {
    "pending": "Signed up, not confirmed yet. Only the confirmation e-mail is sent.",
    "confirmed": "The owner of the address confirmed. The newsletter may be sent.",
    "blocked": "Unsubscribed or blocked. No newsletter is sent.",
    "returning": "Blocked, signed up again, not confirmed yet. Still no newsletter.",
    "erasing": "Deleted from the database; the deletion at Mailchimp is in progress.",
}

REASONS = {
    "unsubscribed": "the person unsubscribed",
    "complaint": "the person reported spam",
    "bounce": "a newsletter bounced permanently",
    "not_me": "the owner of the address declared “This was not me”",
    "staff": "staff blocked the address permanently",
    "rectified": "the address was replaced by another one",
    "removed_at_mailchimp": "somebody removed the contact at Mailchimp",
}

WHY = {
    "pending": "somebody typed the address into the form",
    "confirmed": "the owner pressed the button behind the link in the e-mail",
}

EVENTS = {
    "signup": "Somebody typed the address into the form",
    "mail_sent": "The mail server accepted the e-mail",
    "mail_failed": "The mail server refused the e-mail permanently",
    "confirmed": "The owner pressed the button behind the link in the e-mail",
    "blocked": "No newsletter from now on",
    "lifted": "Unblocked: a new sign-up can end the block",
    "disowned": "The owner declared “This was not me”",
    "rectified": "The address was corrected",
    "held": "Processing was restricted (Art. 18)",
    "released": "The restriction ended",
    "synced": "Mailchimp acknowledged",
    "sync_failed": "Mailchimp refused",
    "expired": "Nobody confirmed in time",
    "erased": "Deleted",
    "restored": "Restored from a backup",
    "imported": "Taken over",
}

AT_MAILCHIMP = {
    "absent": "Mailchimp has never got this address.",
    "unknown": "A call is in progress, or its answer was lost: the worker checks.",
    "subscribed": "Mailchimp has it as subscribed.",
    "unsubscribed": "Mailchimp has it as unsubscribed.",
    "awaiting": "Mailchimp asks the person once more and waits for the answer.",
    "refused": "Mailchimp does not let the service add this address.",
}

CONTACTS = {
    "subscribed": "Gets the newsletter.",
    "unsubscribed": "Gets no newsletter.",
    "pending": "Mailchimp has sent a question of its own and waits for the answer.",
    "cleaned": "Newsletters bounced; Mailchimp sends no more.",
    "archived": "Archived by staff.",
}

CHAPTERS = (
    "Sign up",
    "Confirm",
    "Unsubscribe at Mailchimp",
    "Come back",
    "Unsubscribe by your own link",
    "Be erased",
)

BUTTONS = {
    "sign-up": "Sign up",
    "confirm": "Confirm the sign-up",
    "unsubscribe-there": "Unsubscribe at Mailchimp",
    "answer-mailchimp": "Answer Mailchimp",
    "leave-by-link": "Unsubscribe by your own link",
    "erase": "Erase this person",
    "anew": "Use another address",
}
