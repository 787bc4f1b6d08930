"""Where this program keeps what belongs to the machine and not to a project: converted models, hashes, probes.

The one place of the library that reads the environment variable `SLUICE_CACHE`.
"""

from __future__ import annotations

import os
from pathlib import Path

CACHE_VARIABLE = "SLUICE_CACHE"


def default_cache_dir() -> Path:
    """Return the cache folder: `SLUICE_CACHE` where it is set and not empty, else the platform's user cache folder.

    The folder need not exist yet; whoever writes there makes it.
    """
    named = os.environ.get(CACHE_VARIABLE, "").strip()
    if named:
        return Path(named).expanduser().absolute()
    from platformdirs import user_cache_path

    return user_cache_path("sluice", appauthor=False)
