"""POP3: a sans-IO protocol, one session on top of it, and pipelining."""
