"""`python -m termmail` is `termmail`."""

from termmail.cli import main

raise SystemExit(main())
