"""Write chats.jsonl, desk.csv, mails.jsonl.gz, exam.jsonl and faults.json from sentences.json, always the same bytes.

The standard library alone: `python generate.py` in this folder. What is planted, and how, is in README.md.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SEED = 20260105
START = datetime(2026, 1, 5, 8, 0)
SIZES = {"chats": 70, "desk": 230, "mails": 60}
MOST_ALIKE = 0.5  # word 3-gram Jaccard of two messages that are no planted pair; a near-duplicate has 0.75 or more
SAID: dict[str, Any] = json.loads((HERE / "sentences.json").read_text(encoding="utf-8"))
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "find_order",
            "description": "Look an order up by its number.",
            "parameters": {
                "type": "object",
                "properties": {"order": {"type": "string"}},
                "required": ["order"],
            },
        },
    }
]


@dataclass(frozen=True)
class Talk:
    """One question with its answer, and what stands beside them."""

    id: str
    team: str
    subject: str
    message: str
    answer: str
    customer: str
    name: str
    order: str
    price: str
    date: datetime
    second: tuple[str, str] | None = None


def grams(text: str) -> set[tuple[str, ...]]:
    """Return the word 3-grams of a text."""
    words = re.findall(r"\w+", text.casefold())
    return {tuple(words[i : i + 3]) for i in range(len(words) - 2)}


def alike(one: set[tuple[str, ...]], other: set[tuple[str, ...]]) -> float:
    """Return the Jaccard similarity of two sets of n-grams."""
    return len(one & other) / len(one | other)


class Writer:
    """Draws talks that are unlike each other, and remembers which fault each one carries."""

    def __init__(self) -> None:
        self.random = random.Random(SEED)
        self.seen = list[set[tuple[str, ...]]]()
        self.faults = dict[str, list[dict[str, str]]]()
        self.clock, self.step = START, 0

    def begin(self, size: int) -> None:
        """Begin a file: its talks are spread over half a year."""
        self.clock, self.step = START, 180 * 24 * 60 // (size * 9 // 7)

    def later(self) -> None:
        """Let some time go by."""
        self.clock += timedelta(minutes=self.random.randint(self.step // 2, self.step * 3 // 2))

    def talk(self, id: str) -> Talk:
        """Return a talk whose message is unlike all others."""
        draw = self.random
        while True:
            team = draw.choice(list(SAID["teams"]))
            words = SAID["teams"][team]
            fill = {
                "bike": draw.choice(SAID["bikes"]),
                "price": f"{draw.randint(9, 480)}.{draw.choice(['00', '50', '90'])} €",
                "order": str(draw.randint(100000, 999999)),
                "day": draw.choice(SAID["days"]),
                "hour": f"{draw.randint(9, 17)} o'clock",
            }
            extras = draw.sample(SAID["extra"], 3)
            since = draw.choice(SAID["since"]) + ", " if team == "workshop" else ""
            trouble = since + draw.choice(words["trouble"])
            name = draw.choice(SAID["names"])
            parts = [extras[0], trouble[0].upper() + trouble[1:] + ".", extras[1], draw.choice(words["ask"]), extras[2]]
            message = draw.choice(SAID["opening"]) + "\n" + " ".join(parts[draw.randint(0, 1) :])
            message = (message + (f"\n{name}" if draw.random() < 0.3 else "")).format(**fill)
            shape = grams(message)
            if all(alike(shape, other) <= MOST_ALIKE for other in self.seen):
                break
        self.seen.append(shape)
        first, second, third = (text.format(**fill) for text in draw.sample(words["answer"], 3))
        self.later()
        return Talk(
            id=id,
            team=team,
            subject=draw.choice(words["subject"]),
            message=message,
            answer=f"{first} {second} {draw.choice(SAID['closing'])}",
            customer=f"K{draw.randint(1000, 1400)}",
            name=name,
            order=fill["order"],
            price=fill["price"].replace(".", ","),
            date=self.clock,
            second=(f"Thank you. {draw.choice(words['ask'])}", third) if draw.random() < 0.4 else None,
        )

    def plant(self, fault: str, talk: Talk, **more: str) -> None:
        """Remember that a talk carries a fault."""
        self.faults.setdefault(fault, []).append({"id": talk.id, **more})

    def near(self, talk: Talk) -> str:
        """Return the message with a word or two changed."""
        words = talk.message.split(" ")
        for place in self.random.sample(range(2, len(words) - 1), 2):
            changed = [*words[:place], self.random.choice(["really", "perhaps", "still", "now"]), *words[place:]]
            if alike(grams(" ".join(changed)), grams(talk.message)) >= 0.8:
                words = changed
        return " ".join(words)

    def spoil(self, talks: list[Talk]) -> list[Talk]:
        """Return the talks of one file with one fault each in some of them; copies come later than their originals."""
        draw, kind = self.random, talks[0].id[0]
        many = 2 if kind == "D" else 1
        places = iter(draw.sample(range(5, len(talks)), len(talks) - 5))

        def change(fault: str, times: int, make: Any) -> None:
            for turn in range(times):
                place = next(places)
                talks[place] = make(talks[place], turn)
                self.plant(fault, talks[place])

        first = {"C": 0, "D": 2, "M": 4}[kind]

        change(
            "personal_data",
            3 * many,
            lambda t, n: replace(t, message=f"{t.message} {SAID['personal'][(first + n) % 6].format(n=n + 1)}"),
        )
        garbled = "Grüße aus Köln, Jürgen Weiß".encode().decode("cp1252")
        change("mojibake", 2 * many, lambda t, _: replace(t, message=f"{t.message} {garbled}"))
        change(
            "truncated",
            2 * many,
            lambda t, _: replace(t, answer=" ".join(t.answer.split()[:-7]).rstrip(".,;!"), second=None),
        )
        change("refusal", 2 * many, lambda t, n: replace(t, answer=SAID["refusals"][(first + n) % 6], second=None))
        foreign = {"C": 0, "D": 1, "M": 4}[kind]
        size = {"C": 1, "D": 3, "M": 1}[kind]

        def elsewhere(talk: Talk, n: int) -> Talk:
            message, answer, team = SAID["foreign"][foreign + n]
            return replace(talk, message=message, answer=answer, team=team, second=None)

        change("wrong_language", size, elsewhere)

        def leak(talk: Talk, n: int) -> Talk:
            question, answer = SAID["exam"][first + n]
            if n == 1:
                return replace(talk, message=f"{talk.message}\nOne more: {question}", second=None)
            return replace(talk, message=question, answer=answer, second=None)

        change("leak", 2, leak)
        for fault, times in {
            "exact_duplicate": 3,
            "normalised_duplicate": 2,
            "near_duplicate": 4,
            "conflict": 2,
        }.items():
            for _ in range(times * many):
                original = next(t for t in map(talks.__getitem__, places) if fault != "conflict" or not t.second)
                message, answer = original.message, original.answer
                if fault == "normalised_duplicate":
                    message = (
                        message.upper().replace(" ", "  ") if draw.random() < 0.5 else message.rstrip("?.!") + " !"
                    )
                elif fault == "near_duplicate":
                    message = self.near(original)
                elif fault == "conflict":
                    answer = draw.choice([t for t in talks if t.team != original.team]).answer
                self.later()
                id = f"{kind}{len(talks) + 1:03}"
                copy = replace(original, id=id, message=message, answer=answer, date=self.clock)
                talks.append(copy)
                self.plant(fault, copy, of=original.id)
        if kind == "D":
            copies = {e[key] for f in self.faults.values() for e in f for key in e}
            whole = [n for n, talk in enumerate(talks) if talk.id not in copies]
            for place in draw.sample(whole, 14):
                right = talks[place].team
                wrong = draw.choice([team for team in SAID["teams"] if team != right])
                talks[place] = replace(talks[place], team=wrong)
                self.plant("wrong_label", talks[place], right=right)
        return talks


def chat(talk: Talk) -> dict[str, Any]:
    """Return a talk as a chat in OpenAI's form; where it has an order number, the assistant looks it up."""
    turns: list[dict[str, Any]] = [{"role": "user", "content": talk.message}]
    tools = talk.order in talk.message
    if tools:
        call = {"name": "find_order", "arguments": json.dumps({"order": talk.order})}
        turns.append(
            {"role": "assistant", "tool_calls": [{"id": f"call_{talk.order}", "type": "function", "function": call}]}
        )
        turns.append({"role": "tool", "tool_call_id": f"call_{talk.order}", "content": json.dumps({"state": "paid"})})
    turns.append({"role": "assistant", "content": talk.answer})
    if talk.second:
        turns += [{"role": "user", "content": talk.second[0]}, {"role": "assistant", "content": talk.second[1]}]
    beside = {"id": talk.id, "date": talk.date.isoformat(), "customer": talk.customer}
    return {**beside, "messages": turns, **({"tools": TOOLS} if tools else {})}


def broken_chats(talks: list[Talk]) -> list[str]:
    """Return six lines that cannot be read as they are."""
    lines = [chat(replace(talk, order="445566", message=f"{talk.message} It is order 445566.")) for talk in talks]
    texts = [json.dumps(line, ensure_ascii=False) for line in lines]
    return [
        texts[0][: len(texts[0]) // 2],
        texts[1].replace('"customer"', '"date": "2026-02-30", "customer"', 1),
        texts[2].replace('"role": "user"', '"role": "caller"', 1),
        texts[3].replace('"tool_call_id": "call_445566"', '"tool_call_id": "call_000000"', 1),
        texts[4].replace('{\\"order\\": \\"445566\\"}', "order 445566", 1),
        texts[5].replace('"customer": "', '"weight": NaN, "customer": "', 1),
    ]


def mails(talk: Talk) -> list[dict[str, Any]]:
    """Return a talk as one message a line."""
    said = [("customer", talk.message), ("agent", talk.answer)]
    if talk.second:
        said += [("note", "Called back, no answer."), ("customer", talk.second[0]), ("agent", talk.second[1])]
    return [
        {
            "thread": talk.id,
            "date": (talk.date + timedelta(minutes=17 * n)).isoformat(),
            "from": who,
            "customer": talk.customer,
            "text": text,
        }
        for n, (who, text) in enumerate(said)
    ]


def main() -> None:
    """Write the files."""
    writer = Writer()
    letters = {"chats": "C", "desk": "D", "mails": "M"}
    files = dict[str, list[Talk]]()
    for file, size in SIZES.items():
        writer.begin(size)
        files[file] = writer.spoil([writer.talk(f"{letters[file]}{n + 1:03}") for n in range(size)])
    spare = [writer.talk(f"X{n}") for n in range(10)]
    set_aside = dict[str, list[int]]()

    lines = [json.dumps(chat(talk), ensure_ascii=False) for talk in files["chats"]]
    for n, text in enumerate(broken_chats(spare[:6])):
        lines.insert(9 + 12 * n, text)
        set_aside.setdefault("chats.jsonl", []).append(10 + 12 * n)
    (HERE / "chats.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="")

    table = io.StringIO(newline="")
    cells = csv.writer(table, delimiter=";", lineterminator="\r\n")
    cells.writerow(["ticket", "date", "customer", "name", "subject", "message", "answer", "team", "price"])
    for n, t in enumerate(files["desk"]):
        if n in (40, 120, 200):  # an export that broke off in the middle of a row
            set_aside.setdefault("desk.csv", []).append(table.getvalue().count("\n") + 1)
            table.write(f"{spare[6].id}{n};{t.date:%Y-%m-%d %H:%M:%S};{t.customer};broken off\r\n")
        day = f"{t.date:%Y-%m-%d %H:%M:%S}"
        cells.writerow([t.id, day, t.customer, t.name, t.subject, t.message, t.answer, t.team, t.price])
    (HERE / "desk.csv").write_bytes(table.getvalue().encode("cp1252"))

    messages = [message for talk in files["mails"] for message in mails(talk)]
    twice = mails(replace(spare[7], id="M900", second=None))
    twice[1]["date"] = twice[0]["date"]
    nobody = mails(replace(spare[8], id="M901", second=None))
    del nobody[1]["from"]
    messages += twice + nobody
    writer.random.shuffle(messages)
    set_aside["mails.jsonl.gz"] = [n for n, m in enumerate(messages, 1) if m["thread"] in ("M900", "M901")]
    packed = "".join(json.dumps(m, ensure_ascii=False) + "\n" for m in messages).encode()
    (HERE / "mails.jsonl.gz").write_bytes(gzip.compress(packed, mtime=0))

    exam = [json.dumps({"question": q, "answer": a}, ensure_ascii=False) for q, a in SAID["exam"]]
    (HERE / "exam.jsonl").write_text("".join(f"{line}\n" for line in exam), encoding="utf-8", newline="")
    planted = {"seed": SEED, "set_aside": set_aside, "faults": writer.faults}
    (HERE / "faults.json").write_text(
        json.dumps(planted, ensure_ascii=False, indent=1) + "\n", encoding="utf-8", newline=""
    )


if __name__ == "__main__":
    main()
