"""Scores that other programs wrote: read them exactly, and compare two logs without a project.

`scores` reads a log, `compare` aligns two and asks `sluice.evalsuite.verdict`. Nothing here writes a file or a fact.
"""

from __future__ import annotations

from sluice.evalsuite.foreign.compare import Comparison, Flip, compare_logs
from sluice.evalsuite.foreign.scores import ForeignLog, LogRow, read_log

__all__ = ["Comparison", "Flip", "ForeignLog", "LogRow", "compare_logs", "read_log"]
