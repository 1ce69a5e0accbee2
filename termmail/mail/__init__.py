"""Mail as bytes and as meaning; pure, no I/O."""
