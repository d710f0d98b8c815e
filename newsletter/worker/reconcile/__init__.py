"""Compares Mailchimp's audience with what is recorded here, and corrects differences."""
