"""Samples of every page, e-mail and consent text with made-up people, to find mistakes in templates early."""
