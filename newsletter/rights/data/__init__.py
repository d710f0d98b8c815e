"""The classes of data: what each is, how long it is kept, and, where a period ends by time, how it ends."""
