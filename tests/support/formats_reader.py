"""A reader of Sluice's files, written from docs/formats.md alone: it recomputes every hash and follows every link.

It imports nothing of sluice: the standard library, and polars for Parquet.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
import unicodedata
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

HASH = re.compile(r"[0-9a-f]{64}")
KINDS: dict[Any, str] = {"best": "spec", "after": "set", "rows_sha256": "file", "passed": "fact", "question": "grader"}
KINDS |= {("baseline", "dev"): "fact", ("baseline", "eval"): "fact", ("graded", "dev"): "rows"}
ENTRY = {"format", "project", "kind", "body", "parents", "time", "account", "tool"}


def sha(*lines: str) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def file_sha(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def load(text: str | bytes) -> Any:
    return json.loads(text, parse_float=Decimal)


def lines_of(file: Path) -> list[Any]:
    return [load(line) for line in file.read_bytes().splitlines()]


def number(value: int | Decimal) -> str:
    sign, digits, power = Decimal(value).as_tuple()
    text = "".join(map(str, digits)).lstrip("0")
    if not text:
        return "0"
    d = text.rstrip("0")
    p = int(power) + len(text) - len(d)
    if p >= 0 and len(d) + p <= 400:
        text = d + "0" * p
    elif -400 <= p < 0:
        text = f"{d[:p] or '0'}.{d[p:].rjust(-p, '0')}"
    else:
        text = f"{d}e{p}"
    return "-" * sign + text


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def canonical(value: Any, drop: bool = False) -> str:
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, str):
        return quoted(unicodedata.normalize("NFC", value))
    if isinstance(value, (int, Decimal)):
        return number(value)
    if isinstance(value, list):
        return "[" + ",".join(canonical(v, drop) for v in value) + "]"
    pairs = [(unicodedata.normalize("NFC", k), v) for k, v in value.items() if not (drop and v is None)]
    return "{" + ",".join(f"{quoted(k)}:{canonical(v, drop)}" for k, v in sorted(pairs)) + "}"


def compact(value: Any, sort_keys: bool = False) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=sort_keys)


def row_hashes(record: dict[str, Any]) -> tuple[str, str]:
    """Return the row and input hash of a record."""
    content = load(record["input"])
    if record["input_form"] == "fields":
        shown = '["fields",' + canonical(content, drop=True) + "]"
    else:
        turns: list[Any] = []
        for turn in content["messages"]:
            calls = turn.get("tool_calls")
            called = None if calls is None else load(calls)
            turns.append([turn["role"], turn.get("content"), turn.get("name"), called, turn.get("tool_call_id")])
        shown = canonical(["messages", turns, load(content["tools"]) if content.get("tools") else None])
    keys = {"example": ("target_form", "target"), "preference": ("chosen", "rejected"), "unpaired": ("answer", "good")}
    learnt = canonical([record["kind"], *(record[key] for key in keys.get(record["kind"], ()))])
    return sha("sluice/row/1", shown, learnt), sha("sluice/input/1", shown)


class Reader:
    """Everything of a project, recomputed; `problems` says what is not what its hash says."""

    def __init__(self, root: Path, base: Path):
        self.root, self.store = root, root / ".sluice"
        self.config: dict[str, Any] = tomllib.loads((root / "sluice.toml").read_text())
        self.known: dict[str, set[str]] = {}
        self.problems: list[str] = []
        self.rows: dict[str, dict[str, Any]] = {}
        self.of_rows: dict[str, list[str]] = {}
        self.know("base", self.base_hash({f.name: file_sha(f) for f in base.iterdir()}))
        self.know("grader", sha("sluice/grader/1", canonical({"choices": [], "name": "exact", "version": 1})))
        self.know("written_task", sha(self.config["task"]["description"], (root / "rubric.md").read_text()))
        for part in (
            self.ledger,
            self.forgotten,
            self.versions,
            self.sets,
            self.runs,
            self.adapters,
            self.graded,
            self.links,
        ):
            part()

    def same(self, what: object, found: object, said: object) -> None:
        if found != said:
            self.problems.append(f"{what}: {found} is not {said}")

    def know(self, kind: str, digest: str) -> str:
        self.known.setdefault(kind, set()).add(digest)
        return digest

    def know_rows(self, rows: list[str]) -> str:
        digest = self.know("rows", sha("\n".join(sorted(rows))))
        self.of_rows[digest] = rows
        return digest

    def base_hash(self, files: dict[str, str]) -> str:
        return sha("".join(f"{name}\0{digest}\n" for name, digest in sorted(files.items())))

    def records(self, records: list[dict[str, Any]], where: Path) -> None:
        for record in records:
            self.same(where, row_hashes(record), (record["row"], record["input_hash"]))
            self.rows[record["row"]] = record

    def of(self, kind: str, **body: Any) -> list[dict[str, Any]]:
        facts = [f["body"] for f in self.facts.values() if f["kind"] == kind]
        return [b for b in facts if all(b[k] == v for k, v in body.items())]

    def ledger(self) -> None:
        self.facts: dict[str, dict[str, Any]] = {}
        for file in sorted((self.root / "ledger").iterdir()):
            entry = load(file.read_bytes())
            self.same(file, sha("sluice/ledger/1", compact(entry, sort_keys=True)), file.stem)
            self.same(file, file.read_bytes(), (self.store / "ledger" / file.name).read_bytes())
            self.same(file, (set(entry), entry["project"]), (ENTRY, self.config["project"]["id"]))
            self.facts[self.know("fact", file.stem)] = entry
        for digest, entry in self.facts.items():
            self.same(f"parents of {digest}", set(entry["parents"]) - set(self.facts), set())

    def under(self, digest: str) -> set[str]:
        """Return all that a fact stands on."""
        found: set[str] = set()
        queue = [digest]
        while queue:
            new = set(self.facts[queue.pop()]["parents"]) - found
            found |= new
            queue += new
        return found

    def forgotten(self) -> None:
        """Read what was forgotten: keyed hashes, and what is left of versions and certificates."""
        self.left: dict[str, str] = {}
        self.was: dict[str, str] = {}
        self.gone: set[str] = set()
        for body in self.of("forgotten"):
            key = bytes.fromhex((self.store / "privacy" / "key").read_text())
            self.same("key", hashlib.sha256(b"sluice/key/1\n" + key).hexdigest()[:16], body["key"])
            self.gone |= set(body["rows"])
            self.left |= {v["version"]: v["left"] for v in body["versions"]}
            self.was |= {c["after"]: c["certificate"] for c in body["certificates"]}

    def versions(self) -> None:
        for folder in sorted((self.store / "data").iterdir()):
            manifest = load((folder / "manifest.json").read_bytes())
            for file in manifest["files"]:
                self.same(file["path"], file_sha(self.store / "data" / file["path"]), file["sha256"])
            frame = pl.concat([pl.read_parquet(self.store / "data" / f["path"]) for f in manifest["files"]])
            records = frame.to_dicts()
            self.records(records, folder)
            lines = sorted(f"{r['row']} {canonical(sorted(r['groups']))}\n" for r in records)
            version = self.know("version", sha("sluice/version/1", canonical(frame.columns), "".join(lines)))
            if "left" in manifest:
                self.same(folder, (version, version), (manifest["left"], self.left.get(folder.name)))
                self.same(folder, set(manifest["forgotten"]) - self.gone, set())
                version = self.know("version", folder.name)
            found = [manifest["version"], manifest["columns"], manifest["rows"]]
            self.same(folder, found, [version, frame.columns, len(records)])
            self.same(folder, version, folder.name)
            self.know_rows([r["row"] for r in records])
        for file in (self.store / "names").rglob("*.json"):
            entry = load(file.read_bytes())
            named = file.relative_to(self.store / "names").with_suffix("").as_posix()
            self.same(file, f"{entry['dataset']}/{entry['number']}", named)
            folder = self.store / "operations" / entry["operation"]
            operation = load((folder / "operation.json").read_bytes())
            made = [r["version"] for r in operation["results"] if r["dataset"] == entry["dataset"]]
            self.same(file, made, [entry["version"]])
            others = {f.name: file_sha(f) for f in folder.iterdir() if f.name != "operation.json"}
            self.same(folder, others, operation["files"])
            if "dropped.parquet" in others:
                self.records(pl.read_parquet(folder / "dropped.parquet").to_dicts(), folder)

    def sets(self) -> None:
        for folder in sorted((self.root / "evals").iterdir()):
            text = (folder / "manifest.json").read_text()
            manifest, records = load(text), lines_of(folder / "rows.jsonl")
            self.same(folder, json.dumps(manifest, sort_keys=True, indent=1, ensure_ascii=False) + "\n", text)
            self.records(records, folder)
            self.same(folder, "".join(compact(r) + "\n" for r in records), (folder / "rows.jsonl").read_text())
            digest = self.know("set", sha("sluice/evalset/1", text))
            self.same(folder, f"{manifest['name']}-{digest[:8]}", folder.name)
            self.same(folder, self.know("file", file_sha(folder / "rows.jsonl")), manifest["rows_sha256"])
            for key, column in {"rows": "row", "inputs": "input_hash", "groups": "groups"}.items():
                self.same(folder, [r[column] for r in records], manifest[key])
            self.same(folder, [f["rows"] for f in self.of("frozen", set=digest)], [len(records)])
            self.know_rows(manifest["rows"])
        for claim in self.of("claimed"):
            self.know("question", sha("sluice/question/1", canonical(claim["question"])))

    def prompt_hash(self, prompt: dict[str, Any]) -> str:
        blocks = [[b["role"], b["text"], b["template"]] for b in prompt["blocks"]]
        return self.know("prompt", sha("sluice/prompt/1", compact(blocks)))

    def rendered(self, prompt: dict[str, Any], row: str) -> str:
        fields = load(self.rows[row]["input"])
        turns = [
            {"role": b["role"], "content": b["text"].replace("{{ input }}", fields["input"])} for b in prompt["blocks"]
        ]
        return compact(turns) + "\n"

    def runs(self) -> None:
        self.answers: dict[str, dict[str, Any]] = {}
        for folder in sorted((self.store / "runs").iterdir()):
            asked, closed = load((folder / "run.json").read_bytes()), load((folder / "closed.json").read_bytes())
            body = {k: v for k, v in asked.items() if k != "label"} | {"prompt": asked["prompt_sha256"]}
            spec = self.know("spec", sha("sluice/run/1", canonical(body)))
            given = {a["row"]: a for a in reversed(lines_of(folder / "answers.jsonl"))}
            self.answers[spec] = given
            lines = [[a[k] for k in ("row", "input", "repeat", "text", "stop", "error")] for a in given.values()]
            answers = self.know("answers", sha("sluice/answers/1", *sorted(map(compact, lines))))
            took = [[a[k] for k in ("row", "repeat", "prompt_tokens", "new_tokens", "seconds")] for a in given.values()]
            counts = self.know("counts", sha("sluice/counts/1", *sorted(map(canonical, took))))
            self.same(folder, closed, {"answers": answers, "counts": counts, "spec": spec})
            self.same(folder, asked["rows_sha256"], self.know_rows(list(given)))
            if asked["role"] == "reference":
                self.same(folder, asked["base_sha256"], sha(f"declared {asked['base']}"))
            else:
                self.same(folder, asked["prompt_sha256"], self.prompt_hash(asked["prompt"]))
                shown = "".join(self.rendered(asked["prompt"], row) for row in sorted(given))
                self.same(folder, asked["rendered_sha256"], self.know("rendered", sha("sluice/rendered/1", shown)))
            scored = lines_of(folder / "scores.jsonl")[1:]
            lines = [f"{s['row']} {s['score']:.9f} {s['class']}" for s in scored]
            scores = self.know("scores", sha("sluice/scores/1", *sorted(lines)))
            said: dict[str, Any] = {"spec": spec, "answers": answers, "scores": scores, "n": len(scored)}
            said["mean"] = f"{sum(s['score'] for s in scored) / len(scored):.6f}"
            more = {k: asked[k] for k in ("role", "adapter", "form")} | {"base": asked["base_sha256"]}
            more |= {"rows": asked["rows_sha256"], "rendered": asked["rendered_sha256"]}
            more |= {"cut": sum(a["stop"] in ("length", "context") for a in given.values())}
            for kind, keys in {"evaluated": said | more, "reference": said}.items():
                for fact in self.of(kind, run=folder.name):
                    self.same(folder, {k: fact[k] for k in keys}, keys)

    def adapters(self) -> None:
        for folder in sorted((self.store / "adapters").iterdir()):
            c = load((folder / "certificate.json").read_bytes())
            files = {f.name: file_sha(f) for f in folder.iterdir() if f.name not in ("certificate.json", "README.md")}
            listed = "".join(f"{name} {digest}\n" for name, digest in sorted(files.items()))
            self.same(
                folder, (files, self.know("adapter", sha("sluice/adapter/1", listed))), (c["files"], c["adapter"])
            )
            certificate = sha("sluice/certificate/1", canonical(c))
            lacks = bool(set(c["rows"]) & self.gone)
            self.same(folder, lacks, certificate in self.was)
            certificate = self.know("certificate", self.was.get(certificate, certificate))
            self.same(
                folder, (self.base_hash(c["base_files"]), {c["base_sha256"]}), (c["base_sha256"], self.known["base"])
            )
            self.same(folder, self.prompt_hash(c["prompt"]), c["prompt_sha256"])
            if lacks:  # the hash over rows that are gone cannot be taken again
                self.know("rows", c["rows_sha256"])
            else:
                self.same(
                    folder, (self.know_rows(c["rows"]), c["rows"]), (c["rows_sha256"], self.of_rows[c["rows_sha256"]])
                )
            self.know("recipe", sha("sluice/recipe/1", canonical(c["recipe"])))
            trained = [h for h, f in self.facts.items() if f["body"].get("certificate") == certificate]
            self.same(folder, [c["passed"] in self.under(h) for h in trained], [True])
            passed = self.facts[c["passed"]]["body"]
            keys = {k: k for k in ("version", "set", "form", "method", "dataset", "training_form", "written_task")}
            keys |= {k: f"{k}_sha256" for k in ("rows", "prompt", "base")}
            self.same(folder, {k: passed[k] for k in keys}, {k: c[name] for k, name in keys.items()})
            training = self.store / "training" / c["id"]
            self.same(training, file_sha(training / "fit" / "log.jsonl"), c["log_sha256"])
            self.same(training, file_sha(training / "certificate.json"), file_sha(folder / "certificate.json"))
            self.same(training, (training / "done").read_text().split(), trained)

    def graded(self) -> None:
        for body in self.of("graded"):

            def draw(word: str, seed: str = f"{body['dev']} {body['spec']}") -> str:
                return sha(f"sluice/grading/1 {seed} {word}")

            rows = sorted(self.of_rows[body["dev"]], key=draw)
            target = {row: self.rows[row]["target"] for row in rows}
            items = [(row, "answer", self.answers[body["spec"]][row]["text"]) for row in rows[:20]]
            backwards = [row for row in reversed(rows) if target[row]]
            items += [(row, "own-target", target[row]) for row in backwards[:5]]
            for row in backwards[5:10]:
                at = rows.index(row)
                after = [target[r] for r in rows[at + 1 :] + rows[:at]]
                items.append((row, "other-target", next(t for t in after if t and t != target[row])))
            named = [draw(f"{row} {source} {sha(text)}")[:16] for row, source, text in items]
            self.know("items", sha(" ".join(sorted(named))))
            decided = [d for f in (self.root / "decisions").iterdir() for d in lines_of(f)]
            self.same("decisions", {d["item"] for d in decided}, set(named))

    def links(self) -> None:
        """Each hash that a fact names is one that was found in a file."""
        for digest, entry in self.facts.items():
            if entry["kind"] == "forgotten":
                continue  # read before everything else
            for key, value in entry["body"].items():
                for found in HASH.findall(compact(value)) if key != "question" else [value["grader"]]:
                    kind = KINDS.get((entry["kind"], key)) or KINDS.get(key, key)
                    if found not in self.known.get(kind, ()):
                        self.problems.append(f"{entry['kind']} {digest}: its {key} {found} is in no file")
