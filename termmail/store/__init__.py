"""The one SQLite store: plain synchronous functions, called on the store thread."""
