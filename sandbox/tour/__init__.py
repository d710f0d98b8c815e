"""The tour: one page on which a newcomer walks a person from sign-up to erasure.

All that it shows comes from the running processes: the service over HTTP (`service`), the mailbox and the stand-in
Mailchimp (`facts`). `story` derives from these what has happened and what comes next, `walk` does what the buttons say,
`wire` lists the calls that they caused.
"""
