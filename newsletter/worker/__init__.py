"""The process `worker`: sends e-mails, syncs with Mailchimp, runs the periodic jobs. It decides nothing."""
