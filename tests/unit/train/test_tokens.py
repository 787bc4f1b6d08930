"""The token counter of `audit`: by the base's tokenizer where it is here, else a reason, and nothing is fetched."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.tiny_model import build_tiny_model

from sluice.core.errors import InputError
from sluice.core.project import Project
from sluice.core.rows import Example
from sluice.train.tokens import token_counter

TOML = '[task]\nname = "t"\ndata = "d"\ndescription = "x"\n{more}\n[model]\nbase = "{base}"\n[project]\nid = "p"\n'


def project(folder: Path, base: str, more: str = "") -> Project:
    (folder / "sluice.toml").write_text(TOML.format(base=base, more=more))
    return Project(folder)


@pytest.mark.parametrize(
    ("base", "more", "said"),
    [
        ("smollm2-135m-instruct-q4_1", "", "not on this machine"),
        ("smollm2-135m-instruct-q4_1", "curate_only = true", "only curates"),
        ("no/such-model-anywhere", "", "not on this machine"),
        ("nonsense", "", "not on this machine"),
    ],
)
def test_no_counter_has_a_reason_and_nothing_is_fetched(tmp_path, base, more, said):
    cache = tmp_path / "cache"
    found = token_counter(project(tmp_path, base, more), cache)
    assert found.count is None
    assert said in (found.why_not or "")
    assert not cache.exists()


def test_without_a_sluice_toml(tmp_path):
    assert "sluice init" in (token_counter(Project(tmp_path), tmp_path).why_not or "")


@pytest.mark.model
def test_tokens_by_the_base_s_tokenizer(tmp_path):
    base = build_tiny_model(tmp_path / "model")
    counter = token_counter(project(tmp_path, str(base)), tmp_path / "cache")
    count = counter.count
    assert count is not None
    assert counter.texts is not None
    assert counter.texts([]) == []
    one, many = counter.texts(["help", "help " * 50])
    assert one < count(Example(input={"body": "help"}, target="yes")), "no template, no prompt"
    assert many >= one + 49
    short = count(Example(input={"body": "help"}, target="yes"))
    assert count(Example(input={"body": "help " * 50}, target="yes")) >= short + 49
    assert count(Example(input={"body": "help"}, target="yes " * 30)) > short + 29
    with pytest.raises(InputError, match="no answer in text"):
        count(Example(input={"body": "help"}))
