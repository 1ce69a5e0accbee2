"""IMAP4rev1: a protocol without I/O and the session over it (RFC 3501)."""
