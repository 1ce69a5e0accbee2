"""Ask a mail domain for its servers: SRV records and the domain's own autoconfig file. Only with the user's consent."""
