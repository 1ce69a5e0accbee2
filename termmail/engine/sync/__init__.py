"""Synchronizing an account with its server."""
