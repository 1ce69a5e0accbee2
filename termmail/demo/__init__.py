"""The embedded POP3, IMAP and SMTP servers and the sample mailbox: `termmail demo`, and what the tests run against."""

from termmail.demo.loopback_servers import Demo, config_for, demo_servers, serve

__all__ = ["Demo", "config_for", "demo_servers", "serve"]
