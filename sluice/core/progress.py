"""How long work says where it is: the one callback that libraries call and the terminal draws."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called as (what is being done, how much is done, of how much); 0 of 0 where nobody can know."""
