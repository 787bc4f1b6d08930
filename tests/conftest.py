"""What all tests share."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def kill() -> ModuleType:
    """The driver that kills command lines (tests/kill.py), loaded by its place: tests are no package."""
    name = "sluice_tests_kill"
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / "kill.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
