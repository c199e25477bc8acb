"""`python -m ait_cmp`: the command line."""

from __future__ import annotations

import sys

from ait_cmp.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
