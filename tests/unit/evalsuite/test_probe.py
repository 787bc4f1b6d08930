"""The probe measures, chooses and remembers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sluice.core.errors import InputError
from sluice.evalsuite.probe import Probe, probe

pytestmark = pytest.mark.model


def test_a_probe_is_measured_once_and_then_read(tmp_path: Path) -> None:
    first = probe(tmp_path, "cpu")
    assert first.float32_gflops > 0
    assert first.dtype == ("bfloat16" if first.bfloat16_gflops > 1.2 * first.float32_gflops else "float32") or (
        abs(first.bfloat16_gflops - 1.2 * first.float32_gflops) < 1
    )
    (stored,) = tmp_path.glob("probe-*.json")
    stored.write_text(json.dumps({**json.loads(stored.read_text()), "float32_gflops": 123.5}))
    assert probe(tmp_path, "cpu").float32_gflops == 123.5
    stored.write_text("{")
    assert isinstance(probe(tmp_path, "cpu"), Probe)


def test_a_named_precision_wins_without_being_remembered(tmp_path: Path) -> None:
    chosen = probe(tmp_path, "cpu")
    other = "float32" if chosen.dtype == "bfloat16" else "bfloat16"
    assert probe(tmp_path, "cpu", other).dtype == other
    assert probe(tmp_path, "cpu").dtype == chosen.dtype


def test_threads_are_as_before(tmp_path: Path) -> None:
    import torch

    before = torch.get_num_threads()
    probe(tmp_path, "cpu", fresh=True)
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("device", ["gpu", "cuda:x", "cpu0"])
def test_an_unknown_device_is_refused(tmp_path: Path, device: str) -> None:
    with pytest.raises(InputError):
        probe(tmp_path, device)
