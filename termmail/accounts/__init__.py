"""Configuration, paths and credentials of the user."""
