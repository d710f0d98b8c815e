"""The tour: one page on which a newcomer walks a person from sign-up to erasure.

Whatever it shows, it asked the running processes for: the service over HTTP (`service`), the mailbox and
the stand-in Mailchimp (`facts`). `story` reads from these the moment of the walk and what comes next,
`walk` carries the buttons out, `wire` lists the calls they led to.
"""
