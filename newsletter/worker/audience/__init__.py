"""Bringing people to their place at Mailchimp."""
