"""The embedded POP3 and SMTP servers and the sample mailbox."""
