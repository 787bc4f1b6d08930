"""How many tokens a row has as it is rendered for training: what `audit` and `filter` hold against the length limit.

Nothing is fetched for it: where the base model is not on this machine yet, or the extra `train` is not installed, there
is no counter, and the reason is said.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from sluice.core.errors import InputError
from sluice.core.paths import default_cache_dir
from sluice.core.project import Project
from sluice.core.prompt import Prompt
from sluice.core.rows import AnyRow, Example
from sluice.evalsuite.baselines.compose import prompt_rows, train_prompt
from sluice.train.render import EXPLANATIONS, render
from sluice.train.training_rows import OF_MODEL, LengthLimit, length_limit


@dataclass(frozen=True)
class Counter:
    """A function from a row to its tokens, or the reason why there is none."""

    count: Callable[[AnyRow], int] | None
    why_not: str | None = None
    limit: LengthLimit | None = None
    """What the count is held against; None where there is no counter."""
    texts: Callable[[Sequence[str]], list[int]] | None = None
    """Tokens of plain texts, without template or prompt: how long inputs and answers are by themselves."""

    @property
    def max_tokens(self) -> int | None:
        """The limit in tokens, where there is one."""
        return None if self.limit is None else self.limit.tokens

    @property
    def note(self) -> str | None:
        """What to say of the limit, where it is not the one that the task names."""
        if self.limit is None or self.limit.of != OF_MODEL:
            return None
        return f"rows are held against {OF_MODEL}, {self.limit.tokens:,} tokens: [task] max_tokens is more"


def token_counter(project: Project, cache_dir: Path | None = None) -> Counter:
    """Return a counter by the base's tokenizer, chat template and train prompt; none where they are not here.

    The counter raises InputError for a row that cannot be rendered at all: no answer in text, a template that refuses.
    """
    cache_dir = cache_dir or default_cache_dir()
    if not project.has_config:
        return Counter(None, "no base model is named: sluice init")
    if project.config.task.curate_only:
        return Counter(None, "this project only curates")
    base = project.config.model.base
    if find_spec("transformers") is None or find_spec("torch") is None:
        return Counter(None, 'the extra is not installed: pip install "sluiceway[train]"')
    if not is_here(base, cache_dir):
        return Counter(None, f"the model {base} is not on this machine yet: sluice doctor")
    return _counter(project, base, cache_dir)


def is_here(base: str, cache_dir: Path) -> bool:
    """Return whether a model can be read without fetching anything."""
    from sluice.evalsuite.models.embedded import DEFAULT_MODEL

    if base == DEFAULT_MODEL:
        return (cache_dir / "models" / DEFAULT_MODEL / "manifest.json").is_file()
    if Path(base).expanduser().is_dir():
        return True
    if base.count("/") != 1:
        return False
    from huggingface_hub import try_to_load_from_cache

    repo, _, revision = base.partition("@")
    return isinstance(try_to_load_from_cache(repo, "config.json", revision=revision or None), str)


def _counter(project: Project, base: str, cache_dir: Path) -> Counter:
    from sluice.evalsuite.models.local import load_tokenizer
    from sluice.evalsuite.models.store import resolve_model

    named = project.config.model.chat_template
    template = project.read_text(named, what="the chat template") if named else None
    files = resolve_model(base, cache_dir, chat_template=template)
    tokenizer = load_tokenizer(files)
    limit = length_limit(project, files, tokenizer)
    prompts: list[Prompt] = []  # composed when the first row comes: from the names of fields, its own among them

    def count(row: AnyRow) -> int:
        if not isinstance(row, Example) or row.target is None or row.target_form != "text":
            raise InputError("it has no answer in text")
        if not prompts:
            prompts.append(train_prompt(project, [*prompt_rows(project), row]))
        rendered = render(tokenizer, prompts[0].render(row.input), row.target, limit.tokens, files.chat_template)
        if rendered.problem is not None and rendered.problem != "over-long":
            raise InputError(EXPLANATIONS[rendered.problem])
        return len(rendered.ids)

    def texts(given: Sequence[str]) -> list[int]:
        encoded = tokenizer(list(given), add_special_tokens=False, verbose=False)["input_ids"] if given else []
        return [len(ids) for ids in encoded]

    return Counter(count, limit=limit, texts=texts)
