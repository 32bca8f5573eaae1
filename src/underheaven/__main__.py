"""``python -m underheaven`` is ``underheaven``."""

import sys

from underheaven.cli import main

if __name__ == "__main__":
    sys.exit(main())
