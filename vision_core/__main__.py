"""``python -m vision_core``: the command line."""

import sys

from vision_core.cli import main

if __name__ == "__main__":
    sys.exit(main())
