"""Brings each person's status at Mailchimp to the wanted one."""
