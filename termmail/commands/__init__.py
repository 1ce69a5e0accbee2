"""The headless commands: each a function of the parsed arguments and, where it needs mail, of an open Engine."""
