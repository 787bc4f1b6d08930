"""Write raw.jsonl and faults.json: synthetic support tickets with the mess of real ones.

Seeded and free of dependencies: `python generate.py` writes the same bytes on every machine (only `random.random()` is
used, whose sequence Python keeps stable). Clean rows come from compose.py; each fault is planted on purpose, and
faults.json says where. It takes from handwritten.jsonl only what it plants as leaks, and knows nothing of the product
around it.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

from compose import CATEGORIES, CITIES, NAMES, ORDER_ID, PRODUCTS, Dice, Row, Writer, jaccard, read_phrases, shingles

SEED = 20250401
HERE = Path(__file__).resolve().parent
CLEAN_ROWS = 1380
# Clean messages stay well under the 0.7 at which rows count as near-equal: every near duplicate is a planted one.
MAX_SIMILARITY = 0.45
NEAR = (0.74, 0.97)
SURNAMES = ("Novak", "Keller", "Osei", "Lindqvist", "Moreau", "Tanaka", "Byrne", "Silva", "Hassan", "Olsen")
# Numbers that card companies publish for tests, and telephone numbers reserved for fiction.
CARDS = ("4111 1111 1111 1111", "4242 4242 4242 4242", "5555-5555-5555-4444", "378282246310005", "6011 1111 1111 1117")
PERSONAL = (
    "You can write to {mail}.", "My mail is {mail}", "({mail})", "Please answer to {mail}, not to the account.",
    "Call me on {phone}.", "My mobile: {phone}", "Phone {phone}, after six.", "Reach me at {phone} or {mail}.",
    "I paid with card {card}.", "The card is {card}, it is still valid.", "card no {card}",
)  # fmt: skip
FORWARDS = (
    (
        "Came in at the wrong desk, can you take it? The customer writes:\n\n",
        "\n\nI told them that we would get back to them.",
    ),
    ("Forwarded from the shop in {city}:\n> ", "\n> -- \nTyped from a paper note by {name}, shop floor."),
    ("You asked me to send my first message again, here it is. ", " That is all I can tell you. {name}"),
    (
        "Hello, I sent this through your form and it was returned to me, so once more by mail.\n\n",
        "\n\nBest regards\n{name}",
    ),
)
COUNTS = {
    "exact_duplicate": 30, "normalised_duplicate": 14, "near_duplicate": 40, "conflict": 12, "wrong_label": 26,
    "personal_data": 30, "malformed": 9, "over_long": 5, "empty_input": 6, "invalid_answer": 16,
    "leak_exact": 12, "leak_near": 12, "leak_contained": 8,
}  # fmt: skip


class Pool:
    """Messages so far, by shingle, to keep clean ones unlike each other and unlike the handwritten ones."""

    def __init__(self) -> None:
        self._by_shingle: dict[str, list[int]] = {}
        self._sizes: list[int] = []

    def nearest(self, grams: frozenset[str]) -> float:
        shared = Counter(i for gram in grams for i in self._by_shingle.get(gram, ()))
        return max((count / (len(grams) + self._sizes[i] - count) for i, count in shared.items()), default=0.0)

    def add(self, grams: frozenset[str]) -> None:
        for gram in grams:
            self._by_shingle.setdefault(gram, []).append(len(self._sizes))
        self._sizes.append(len(grams))


def clean_rows(dice: Dice, writer: Writer, handwritten: list[Row]) -> list[Row]:
    """Write the clean rows, the categories in turn."""
    pool = Pool()
    for row in handwritten:
        pool.add(shingles(row["message"]))
    rows: list[Row] = []
    while len(rows) < CLEAN_ROWS:
        answer = writer.answer(CATEGORIES[len(rows) % len(CATEGORIES)])
        message = writer.message(answer)
        grams = shingles(message)
        if len(grams) < 8 or pool.nearest(grams) > MAX_SIMILARITY:
            continue
        pool.add(grams)
        rows.append({"message": message, "answer": answer})
    return rows


def retyped(dice: Dice, message: str) -> str:
    """Return a text that is equal after normalisation: other case, blanks or punctuation."""
    change = dice.below(4)
    if change == 0:
        return "  " + message.replace(" ", "  ", 3) + " "
    if change == 1:
        return re.sub(r"\S+", lambda m: m[0] if ORDER_ID.search(m[0]) else m[0].lower(), message) + "\n"
    if change == 2:
        return message.replace(" ", "\u00a0", 2) + "\u200b"
    return message.rstrip(".!") + " ..."


def edited(dice: Dice, message: str) -> str:
    """Return a near copy: a few words added, dropped or replaced at the ends or in the middle, the meaning kept."""
    grams = shingles(message)
    while True:
        words = message.split(" ")
        for _ in range(dice.between(1, 2)):
            at = dice.below(len(words))
            change = dice.below(4)
            if change == 0:
                words.insert(at, dice.pick(("really", "just", "well", "you know", "as I said", "so")))
            elif change == 1 and words[at].lower() in {
                "the",
                "a",
                "my",
                "your",
                "is",
                "and",
                "so",
                "that",
                "very",
                "still",
            }:
                del words[at]
            elif change == 2:
                words.append(
                    dice.pick(
                        ("Thanks again.", "Greetings.", "Thank you in advance.", "Hope you can help.", "bye for now")
                    )
                )
            else:
                words.insert(0, dice.pick(("Hello again.", "Hello,", "Hi,", "Once more:", "Good day.", "Second try:")))
        text = " ".join(words)
        if NEAR[0] <= jaccard(grams, shingles(text)) <= NEAR[1]:
            return text


def pasted_log(dice: Dice) -> str:
    """Return several thousand words of a tracking log, as customers paste them."""
    events = (
        "scanned at depot",
        "left depot",
        "on the lorry to",
        "held in",
        "label re-printed in",
        "weighed in",
        "sorted in",
        "arrived in",
    )
    lines = [
        f"{dice.between(1, 28):02}/{dice.between(1, 12):02} {dice.below(24):02}:{dice.below(60):02} "
        f"parcel {dice.digits(6)} "
        f"{dice.pick(events)} {dice.pick(CITIES)}, gate {dice.between(1, 90)}, clerk {dice.pick(NAMES)}"
        for _ in range(dice.between(260, 420))
    ]
    return "\n".join(lines)


def personal(dice: Dice) -> str:
    """Return a sentence with an invented address, telephone number or card number."""
    first, last = dice.pick(NAMES), dice.pick(SURNAMES)
    domain = dice.pick(("example.com", "example.org", "example.net", "mail.example.com"))
    mail = f"{first}{dice.pick(('.', '_', ''))}{last}{dice.pick(('', dice.digits(2)))}@{domain}".lower()
    phone = dice.pick(("+1 202-555-01{}", "(312) 555-01{}", "1-415-555-01{}", "+1 646 555 01{}")).format(dice.digits(2))
    return dice.pick(PERSONAL).format(mail=mail, phone=phone, card=dice.pick(CARDS))


def relabelled(dice: Dice, answer: Row) -> tuple[Row, str]:
    """Return the answer with one field wrong, still valid against the schema, and the field's name."""
    field = dice.pick(("category", "category", "urgency", "refund", "product"))
    values = {
        "category": CATEGORIES,
        "urgency": ("low", "normal", "high"),
        "refund": (False, True),
        "product": sorted(PRODUCTS),
    }[field]
    return answer | {field: dice.pick([value for value in values if value != answer[field]])}, field


def invalid(at: int, answer: Row) -> tuple[object, str]:
    """Return an answer that the schema refuses, and what is wrong with it."""
    without = {key: value for key, value in answer.items() if key != "urgency"}
    kinds: tuple[tuple[object, str], ...] = (
        (answer | {"urgency": "urgent"}, "urgency is not one of the values"),
        (answer | {"category": "shipping"}, "category is not one of the values"),
        (answer | {"refund": "yes"}, "refund is not a boolean"),
        (without, "urgency is missing"),
        (answer | {"product": "coffee grinder"}, "product is not one of the values"),
        (answer | {"order_id": "48213"}, "order_id has no letter"),
        (answer | {"note": "called back"}, "a key too many"),
        (f"{answer['category']}, {answer['urgency']}", "text instead of an object"),
    )
    return kinds[at % len(kinds)]


def malformed(at: int, dice: Dice, row: Row) -> tuple[str, str]:
    """Return a line that is no proper JSON record, and why."""
    line = json.dumps(row, ensure_ascii=False)
    if at % 3 == 0:
        return line[: len(line) * dice.between(45, 80) // 100], "broken JSON: cut off"
    if at % 3 == 1:
        return line[:-1] + ', "message": ' + json.dumps("see above", ensure_ascii=False) + "}", "duplicate key"
    message = json.dumps(row["message"], ensure_ascii=False)
    return line.replace(message, message[:-1] + ' \\ud83d"'), "half a surrogate pair"


def plant(dice: Dice, writer: Writer, clean: list[Row], handwritten: list[Row]) -> list[Row]:
    """Return the faulty rows. Private keys: _kind, _of (the row repeated), _hand (the ticket repeated), _note."""
    rows: list[Row] = []
    bases = iter(dice.shuffled([row for row in clean if len(row["message"].split()) >= 24]))
    hand = iter(dice.shuffled(handwritten))

    def add(kind: str, message: str, answer: object, **private: object) -> None:
        rows.append(
            {"message": message, "answer": answer, "_kind": kind} | {f"_{key}": value for key, value in private.items()}
        )

    def fresh() -> Row:
        answer = writer.answer(dice.pick(CATEGORIES))
        return {"message": writer.message(answer), "answer": answer}

    for kind, count in COUNTS.items():
        for at in range(count):
            if kind in ("exact_duplicate", "normalised_duplicate", "near_duplicate", "conflict"):
                base = next(bases)
                message, answer, field = base["message"], base["answer"], None
                if kind == "normalised_duplicate":
                    message = retyped(dice, message)
                elif kind == "near_duplicate":
                    message = edited(dice, message)
                elif kind == "conflict":
                    answer, field = relabelled(dice, answer)
                add(kind, message, answer, of=base, note=field)
            elif kind.startswith("leak"):
                source = next(hand)
                message = source["message"]
                if kind == "leak_near":
                    message = edited(dice, message)
                elif kind == "leak_contained":
                    before, after = dice.pick(FORWARDS)
                    message = before.format(city=dice.pick(CITIES)) + message + after.format(name=dice.pick(NAMES))
                add(kind, message, source["answer"], hand=source["ticket_id"])
            else:
                base, note = fresh(), None
                message, answer = base["message"], base["answer"]
                if kind == "wrong_label":
                    answer, note = relabelled(dice, answer)
                elif kind == "personal_data":
                    message += dice.pick((" ", "\n")) + personal(dice)
                elif kind == "over_long":
                    message += "\n\nThis is what the tracking page shows:\n" + pasted_log(dice)
                elif kind == "empty_input":
                    message = ("", "   ", "\n", "", " \t ", "\u200b")[at]
                elif kind == "invalid_answer":
                    answer, note = invalid(at, answer)
                add(kind, message, answer, note=note, right=base["answer"] if kind == "wrong_label" else None)
    return rows


def ordered(dice: Dice, clean: list[Row], faulty: list[Row]) -> list[Row]:
    """Return all rows shuffled, each copy behind its original."""
    rows = dice.shuffled(clean + faulty)
    place = {id(row): i for i, row in enumerate(rows)}
    for row in faulty:
        base = row.get("_of")
        if base is not None and place[id(base)] > place[id(row)]:
            i, j = place[id(base)], place[id(row)]
            rows[i], rows[j] = rows[j], rows[i]
            place[id(base)], place[id(row)] = j, i
    return rows


def write(out: Path) -> None:
    """Write raw.jsonl and faults.json into a folder."""
    dice = Dice(SEED)
    writer = Writer(dice, read_phrases(HERE / "phrases.txt"))
    handwritten = readable(HERE / "handwritten.jsonl")
    clean = clean_rows(dice, writer, handwritten)
    rows = ordered(dice, clean, plant(dice, writer, clean, handwritten))
    lines: list[str] = []
    faults: dict[str, list[Row]] = {kind: [] for kind in COUNTS}
    for i, row in enumerate(rows):
        row["_id"] = f"T{10001 + i}"
        record = {
            "ticket_id": row["_id"],
            "received": (date(2025, 1, 2) + timedelta(days=i * 300 // len(rows))).isoformat(),
            "channel": dice.pick(("email", "email", "chat", "form", "app")),
            "customer": f"C{1000 + dice.below(1150)}",
            "message": row["message"],
            "answer": row["answer"],
        }
        line, kind, note = json.dumps(record, ensure_ascii=False), row.get("_kind"), row.get("_note")
        if kind == "malformed":
            line, note = malformed(len(faults[kind]), dice, record)
        lines.append(line)
        if kind:
            of = row["_of"]["_id"] if row.get("_of") else None
            entry = {
                "line": i + 1,
                "ticket_id": row["_id"],
                "of": of,
                "handwritten": row.get("_hand"),
                "note": note,
                "right": row.get("_right"),
            }
            faults[kind].append({key: value for key, value in entry.items() if value is not None})
    report = {
        "seed": SEED,
        "lines": len(lines),
        "clean": len(clean),
        "counts": {kind: len(found) for kind, found in faults.items()},
    }
    (out / "raw.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    entries = [
        f"  {json.dumps(kind)}: [\n" + ",\n".join("   " + json.dumps(e) for e in found) + "\n  ]"
        for kind, found in faults.items()
    ]
    head = json.dumps(report, indent=1)[:-2]
    (out / "faults.json").write_text(
        head + ',\n "faults": {\n' + ",\n".join(entries) + "\n }\n}\n", encoding="utf-8", newline="\n"
    )


def readable(path: Path) -> list[Row]:
    """Read the well-formed lines of the handwritten file, each message once."""
    rows: dict[str, Row] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            pairs = json.loads(line, object_pairs_hook=list)
        except ValueError:
            continue
        keys = [key for key, _ in pairs]
        if len(keys) == len(set(keys)) and '\\ud83d"' not in line:
            row = json.loads(line)
            rows.setdefault(row["message"], row)
    return list(rows.values())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Write raw.jsonl and faults.json.")
    parser.add_argument("--out", type=Path, default=HERE, help="folder to write to (default: this one)")
    write(parser.parse_args().out)
