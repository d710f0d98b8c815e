"""The door out: what the worker carries to the mail server and to Mailchimp. It never decides."""
