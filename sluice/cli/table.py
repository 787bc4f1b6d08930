"""The static table of verbs: name, panel of the help, one line for a newcomer, module file.

It knows names only and imports nothing, so that `sluice --help` is drawn without loading a single verb. A verb lives in
`sluice/cli/verbs/<module>.py`; a test holds that every line here has its file and every file its line.
"""

from __future__ import annotations

from typing import NamedTuple

PANELS = ("Start", "Curate", "Evaluate", "Train & ship")


class Verb(NamedTuple):
    """One line of the help.

    Args:
        name: the word typed after `sluice`.
        panel: one of PANELS.
        help: one line that says what the verb is for, without words that the reader must already know.
        module: the file under `sluice/cli/verbs/`, without its ending.
    """

    name: str
    panel: str
    help: str
    module: str


def _panel(panel: str, lines: dict[str, str]) -> list[Verb]:
    return [Verb(name, panel, text, name) for name, text in lines.items()]


VERBS: tuple[Verb, ...] = (
    *_panel(
        "Start",
        {
            "init": "start a project here: a few questions, one sluice.toml",
            "status": "what is done, what is missing, and the next command",
            "doctor": "what this machine can do, and how to get what is missing",
            "demo": "the whole road on sample data, under 10 minutes",
            "verify": "recompute everything from the stored files: intact, absent or tampered",
            "log": "the story of this project, in order",
        },
    ),
    *_panel(
        "Curate",
        {
            "add": "read files into a dataset; lines that cannot be read are set aside",
            "dedup": "drop repeated rows, each shown beside the row kept in its place",
            "split": "draw train, dev and eval parts that share nothing",
            "audit": "what is wrong with these rows? works on plain files, too",
            "diff": "what changed between two versions or files: rows and distributions",
            "filter": "drop the rows that fail a check, with the reason",
            "redact": "replace personal data by pseudonyms: one person stays one person",
            "forget": "erase rows, or a person, from every file; verify says forgotten",
            "decontaminate": "drop training rows that repeat an eval row",
            "ls": "the datasets of this project and their versions",
            "show": "look at rows: the first ones, the dropped ones, one by id",
            "why": "the whole story of one row: where from, changed, dropped",
            "export": "write a dataset to a file, or to a folder that Hugging Face loads",
            "card": "what is known of a dataset, as a card to publish with it",
            "sample": "draw a smaller dataset at random, the same each time",
            "tag": "give a version a name of its own",
            "restore": "bring dropped rows back",
            "label": "people decide what rows are: one key a decision, kept at once",
            "labels": "what people said of rows, and making it a version",
            "pairs": "preference pairs from choices, corrections, samples; audited",
        },
    ),
    *_panel(
        "Evaluate",
        {
            "freeze": "fix the eval set: from now on its rows do not change",
            "baseline": "measure how far a prompt alone gets, without training",
            "grade": "judge 30 answers yourself, blind: right or wrong",
            "eval": "let a model or an adapter answer the rows, and score it",
            "regress": "did anything get worse than it was?",
            "compare": "did B really beat A? with intervals; works on two logs, too",
        },
    ),
    *_panel(
        "Train & ship",
        {
            "gate": "what training still lacks; each line with its remedy",
            "waive": "set one rule aside, openly and with a reason",
            "plan": "what training would do: rows, tokens, memory, time",
            "train": "train an adapter, once the gate is open",
            "adapters": "the trained adapters, their scores and where they lie",
        },
    ),
)

BY_NAME: dict[str, Verb] = {verb.name: verb for verb in VERBS}

# What people type who come from elsewhere. Only ever suggested, never run.
OTHER_WORDS: dict[str, str] = {
    "new": "init",
    "start": "init",
    "import": "add",
    "load": "add",
    "ingest": "add",
    "dedupe": "dedup",
    "deduplicate": "dedup",
    "check": "audit",
    "inspect": "audit",
    "clean": "filter",
    "drop": "filter",
    "list": "ls",
    "datasets": "ls",
    "head": "show",
    "view": "show",
    "anonymize": "redact",
    "pseudonymize": "redact",
    "mask": "redact",
    "erase": "forget",
    "delete": "forget",
    "explain": "why",
    "save": "export",
    "publish": "export",
    "readme": "card",
    "croissant": "card",
    "undo": "restore",
    "measure": "baseline",
    "prompt": "baseline",
    "annotate": "label",
    "evaluate": "eval",
    "score": "eval",
    "test": "eval",
    "changes": "diff",
    "delta": "diff",
    "finetune": "train",
    "fine-tune": "train",
    "tune": "train",
    "sft": "train sft",
    "lora": "train sft",
    "models": "adapters",
    "history": "log",
    "version": "--version",
}


def suggest(word: str) -> list[str]:
    """Return at most two verbs that someone who typed `word` may have meant, the likelier first."""
    from difflib import get_close_matches

    if word.lower() in OTHER_WORDS:
        return [OTHER_WORDS[word.lower()]]
    near = get_close_matches(word.lower(), BY_NAME, n=2, cutoff=0.6)
    return near or [OTHER_WORDS[other] for other in get_close_matches(word.lower(), OTHER_WORDS, n=1, cutoff=0.8)]
