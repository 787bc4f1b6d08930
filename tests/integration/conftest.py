"""Fixtures of the integration tests: a tiny model, and projects on it as far as each test needs them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support import fork_server, tiny_road
from support.tiny_model import build_tiny_model


@pytest.fixture(scope="session")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache folder of the tests' own, and no network."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("SLUICE_CACHE", str(folder))
        patch.setenv("HF_HUB_OFFLINE", "1")
        yield folder


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory, own_cache: Path) -> Path:
    """A tiny random-weight model in a folder."""
    return build_tiny_model(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="session")
def split_template(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Any:
    """Added, deduplicated, split."""
    return tiny_road.start(tmp_path_factory.mktemp("split") / "p", tiny_model)


@pytest.fixture(scope="session")
def measured_template(tmp_path_factory: pytest.TempPathFactory, split_template: Any) -> Any:
    """Frozen, with its baselines."""
    road = split_template.copy(tmp_path_factory.mktemp("measured") / "p")
    tiny_road.measure(road)
    return road


@pytest.fixture(scope="session")
def trained_template(tmp_path_factory: pytest.TempPathFactory, measured_template: Any) -> Any:
    """Gradable waived, sft-1 trained and measured on dev."""
    road = measured_template.copy(tmp_path_factory.mktemp("trained") / "p")
    tiny_road.train(road)
    return road


@pytest.fixture(scope="session")
def judged_template(tmp_path_factory: pytest.TempPathFactory, trained_template: Any) -> Any:
    """The eval set opened by sft-1."""
    road = trained_template.copy(tmp_path_factory.mktemp("judged") / "p")
    road("compare", "sft-1", "--final", "--yes", code=None)
    return road


@pytest.fixture
def copied(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[[Any], Any]:
    """Copy a template for this test alone."""

    def make(template: Any, name: str = "p") -> Any:
        road = template.copy(tmp_path / name)
        road.capsys = capsys
        return road

    return make


@pytest.fixture
def split(split_template: Any, copied: Callable[[Any], Any]) -> Any:
    """A project of one's own: added, deduplicated, split."""
    return copied(split_template)


@pytest.fixture
def measured(measured_template: Any, copied: Callable[[Any], Any]) -> Any:
    """A project of one's own with baselines; only gradable stands in the way."""
    return copied(measured_template)


@pytest.fixture
def trained(trained_template: Any, copied: Callable[[Any], Any]) -> Any:
    """A project of one's own with an adapter."""
    return copied(trained_template)


@pytest.fixture
def judged(judged_template: Any, copied: Callable[[Any], Any]) -> Any:
    """A project of one's own whose one opening is spent."""
    return copied(judged_template)


@pytest.fixture(scope="session")
def forked(tmp_path_factory: pytest.TempPathFactory, own_cache: Path, tiny_model: Path) -> Iterator[Any]:
    """A server that runs command lines in children which can be killed anywhere."""
    with fork_server.ForkServer(tmp_path_factory.mktemp("forks")) as server:
        yield server
