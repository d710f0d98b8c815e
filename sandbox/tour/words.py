"""The service's own words, explained to somebody who reads them for the first time."""

from __future__ import annotations

STATUSES = {
    "pending": "Asked for the newsletter, not confirmed yet. Nothing is sent but the letter.",
    "confirmed": "The owner of the address confirmed. The newsletter may be sent.",
    "blocked": "Left, or was shut out. No newsletter is sent.",
    "returning": "Blocked, asked again, not confirmed yet. Still no newsletter.",
    "erasing": "Gone from the database; Mailchimp is being told to forget, too.",
}

REASONS = {
    "unsubscribed": "the person unsubscribed",
    "complaint": "the person reported spam",
    "bounce": "a newsletter came back for good",
    "not_me": "the owner of the address said: that was not me",
    "staff": "staff decided: never again",
    "rectified": "the address was corrected to another one",
    "removed_at_mailchimp": "somebody removed the contact at Mailchimp",
}

WHY = {
    "pending": "somebody typed the address into the form",
    "confirmed": "the owner pressed the button behind the letter’s link",
}

EVENTS = {
    "signup": "Somebody typed the address into the form",
    "mail_sent": "The mail server took the letter",
    "mail_failed": "The mail server refused the letter for good",
    "confirmed": "The owner pressed the button behind the letter’s link",
    "blocked": "No newsletter from now on",
    "lifted": "Staff made the block one that a sign-up can end",
    "disowned": "The owner said: that was not me",
    "rectified": "The address was corrected",
    "held": "The data was frozen (Art. 18)",
    "released": "The data may be used again",
    "synced": "Mailchimp acknowledged",
    "sync_failed": "Mailchimp could not be told",
    "expired": "Nobody confirmed in time",
    "erased": "Forgotten",
    "restored": "Brought back from a backup",
}

AT_MAILCHIMP = {
    "absent": "Mailchimp was never told of this address.",
    "unknown": "A call is under way, or its answer was lost: the worker looks.",
    "subscribed": "Mailchimp has it as subscribed.",
    "unsubscribed": "Mailchimp has it as unsubscribed.",
    "awaiting": "Mailchimp asks the person once more and waits.",
    "refused": "Mailchimp does not let the service add this address.",
}

CONTACTS = {
    "subscribed": "Gets the newsletter.",
    "unsubscribed": "Gets no newsletter.",
    "pending": "Mailchimp has sent a question of its own and waits for the answer.",
    "cleaned": "Newsletters came back; Mailchimp sends no more.",
    "archived": "Put away by staff.",
}

CHAPTERS = (
    "Sign up",
    "Confirm",
    "Leave at Mailchimp",
    "Come back",
    "Leave by your own link",
    "Be erased",
)

BUTTONS = {
    "sign-up": "Sign up",
    "confirm": "Confirm the sign-up",
    "unsubscribe-there": "Unsubscribe there",
    "answer-mailchimp": "Answer Mailchimp",
    "leave-by-link": "Leave by your own link",
    "erase": "Erase this person",
    "anew": "Take another address",
}
