"""datasets/helpdesk is what its generator writes, small, and its card counts its faults rightly."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[3] / "datasets" / "helpdesk"


def test_the_generator_writes_the_same_files_again(tmp_path):
    for name in ("generate.py", "sentences.json"):
        shutil.copy(FOLDER / name, tmp_path)
    subprocess.run([sys.executable, "generate.py"], cwd=tmp_path, check=True)
    for name in ("chats.jsonl", "desk.csv", "exam.jsonl", "faults.json"):
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes(), name
    packed = "mails.jsonl.gz"
    assert gzip.decompress((tmp_path / packed).read_bytes()) == gzip.decompress((FOLDER / packed).read_bytes())


def test_the_card_counts_the_faults():
    faults = json.loads((FOLDER / "faults.json").read_text(encoding="utf-8"))["faults"]
    card = re.findall(r"^\| `(\w+)` \| (\d+) \|", (FOLDER / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert {name: int(count) for name, count in card} == {name: len(some) for name, some in faults.items()}


def test_the_sample_is_small_and_holds_no_code_of_the_package():
    assert sum(file.stat().st_size for file in FOLDER.iterdir() if file.is_file()) < 300_000
    assert not (FOLDER / "__init__.py").exists()
