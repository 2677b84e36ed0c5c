"""``python -m minigrad`` is the same as the command ``minigrad``."""

from minigrad.cli import main

raise SystemExit(main())
