"""`python -m sluice` and the command `sluice`: the front door, and Ctrl-C while it is still being opened."""

from __future__ import annotations

import sys

INTERRUPTED = 130


def main() -> None:
    """Run the command. Interrupted before its modules are there, it ends as it would later, without a trace."""
    try:
        from sluice.cli.app import main as run
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    run()


if __name__ == "__main__":
    main()
