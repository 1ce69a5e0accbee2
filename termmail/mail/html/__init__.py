"""HTML mail: to readable lines for the terminal, and to a sanitized copy for the browser."""
