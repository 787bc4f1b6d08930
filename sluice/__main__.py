"""`python -m sluice`: the same front door as the command `sluice`."""

from sluice.cli.app import main

if __name__ == "__main__":
    main()
