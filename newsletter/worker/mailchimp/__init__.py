"""Mailchimp's API."""
