"""Everything the program can do, as plain verbs; no screen."""
