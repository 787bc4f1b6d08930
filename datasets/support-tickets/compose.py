"""Compose one support ticket for one answer: the phrases, the labels, and how different people type.

Labels are drawn first and the message is written to say exactly what they hold, so a clean row is right by
construction. It knows nothing of files on disk but phrases.txt, and nothing of the faults that generate.py plants.
"""

from __future__ import annotations

import random
import re
import unicodedata
from pathlib import Path
from typing import Any

CATEGORIES = ("delivery", "damaged", "returns", "billing", "account", "question")
# value: (kind, names a customer uses; the first is the commonest; a leading "+" marks a plural)
PRODUCTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "air fryer": ("electric", ("air fryer", "airfryer")),
    "backpack": ("worn", ("backpack", "rucksack")),
    "blender": ("electric", ("blender", "blender")),
    "desk lamp": ("electric", ("desk lamp", "lamp")),
    "espresso machine": ("electric", ("espresso machine", "espresso maker", "coffee machine")),
    "headphones": ("electric", ("+headphones", "headset")),
    "kettle": ("electric", ("kettle", "electric kettle")),
    "office chair": ("seat", ("office chair", "desk chair", "chair")),
    "rain jacket": ("worn", ("rain jacket", "raincoat", "jacket")),
    "toaster": ("electric", ("toaster", "toaster")),
    "vacuum cleaner": ("electric", ("vacuum cleaner", "vacuum", "hoover")),
    "yoga mat": ("worn", ("yoga mat", "mat", "exercise mat")),
}
# What stands where no product of the list is named: off-list goods by kind, or a word that names nothing.
OFF_LIST = {
    "electric": ("rice cooker", "waffle iron", "hair dryer", "fan", "heater", "radio", "camera"),
    "worn": ("umbrella", "tent", "bike helmet", "blanket", "sleeping bag", "scarf"),
    "seat": ("bar stool", "garden bench", "sofa"),
}
VAGUE = ("item", "thing", "article", "product")
COLOURS = ("black", "white", "red", "blue", "grey", "green", "silver", "small", "large", "new")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = ("January", "February", "March", "April", "June", "July", "August", "September", "October", "November")
CITIES = ("Leeds", "Cork", "Ghent", "Malmo", "Turin", "Gdansk", "Lille", "Graz", "Bergen", "Cadiz", "Brno", "Exeter")
NAMES = (
    "Maria",
    "Jan",
    "Aisha",
    "Tom",
    "Ines",
    "Piotr",
    "Lena",
    "Omar",
    "Grace",
    "Sven",
    "Chloe",
    "Raj",
    "Emma",
    "Luca",
)
ORDER_ID = re.compile(r"[A-Z]-[0-9]{5}")
SLANG = {
    "please": "pls",
    "you": "u",
    "thanks": "thx",
    "because": "bc",
    "and": "&",
    "are": "r",
    "with": "w/",
}

Row = dict[str, Any]


class Dice:
    """A seeded source of choices built on `random.random()` alone."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed).random

    def chance(self, probability: float) -> bool:
        return self._random() < probability

    def below(self, n: int) -> int:
        return int(self._random() * n)

    def between(self, low: int, high: int) -> int:
        return low + self.below(high - low + 1)

    def pick(self, items: Any) -> Any:
        return items[self.below(len(items))]

    def shuffled(self, items: Any) -> list[Any]:
        out = list(items)
        for i in range(len(out) - 1, 0, -1):
            j = self.below(i + 1)
            out[i], out[j] = out[j], out[i]
        return out

    def digits(self, n: int) -> str:
        return str(self.between(1, 9)) + "".join(str(self.below(10)) for _ in range(n - 1))


def shingles(text: str) -> frozenset[str]:
    """Return the case-folded word 3-grams of a text, as the project's similarity counts them."""
    words = re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold())
    return frozenset(" ".join(words[i : i + 3]) for i in range(len(words) - 2))


def jaccard(a: frozenset[str], b: frozenset[str]) -> float:
    """Return the Jaccard similarity of two shingle sets (0 where both are empty)."""
    return len(a & b) / len(a | b) if a | b else 0.0


def read_phrases(path: Path) -> dict[str, list[tuple[frozenset[str], str]]]:
    """Read phrases.txt: section name to (tags, text) pairs."""
    sections: dict[str, list[tuple[frozenset[str], str]]] = {}
    name = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("[") and line.endswith("]") and "|" not in line:
            name = line[1:-1]
            sections[name] = []
        elif line and (name or not line.startswith("# ")):
            tags, found, text = line.partition(" :: ")
            sections[name].append((frozenset(tags.split()), text) if found else (frozenset(), line))
    return sections


def order_id(dice: Dice) -> str:
    """Return an invented order id such as A-48213."""
    return f"{dice.pick('ABCDEFGHJKLMNPQRSTUVWXYZ')}-{dice.digits(5)}"


def with_article(name: str) -> str:
    return f"a pair of {name}" if name.endswith("headphones") else f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


class Writer:
    """Writes one message for one answer."""

    def __init__(self, dice: Dice, phrases: dict[str, list[tuple[frozenset[str], str]]]) -> None:
        self.dice = dice
        self.phrases = phrases
        self._bodies: dict[str, list[tuple[frozenset[str], str]]] = {}

    def line(self, section: str) -> str:
        return self.dice.pick(self.phrases[section])[1]

    def answer(self, category: str) -> Row:
        """Draw labels for a category; urgency and refund may still be bound by the phrase chosen for the body."""
        dice = self.dice
        named = dice.chance(0.35 if category == "account" else 0.88)
        ordered = dice.chance({"account": 0.32, "question": 0.38}.get(category, 0.76))
        draw = dice.below(100)
        refundable = {"delivery": 0.42, "damaged": 0.45, "returns": 0.5, "billing": 0.5}
        return {
            "category": category,
            "product": dice.pick(sorted(PRODUCTS)) if named else None,
            "order_id": order_id(dice) if ordered else None,
            "urgency": "high" if draw < 29 else "low" if draw < 50 else "normal",
            "refund": dice.chance(refundable.get(category, 0.0)),
        }

    def body(self, answer: Row, kind: str) -> tuple[frozenset[str], str]:
        """Draw the phrase that tells the trouble, of those that the labels allow; all are used before one returns."""
        pool = self._bodies.setdefault(answer["category"], [])
        while True:
            if len(pool) < 12:
                self.refill(pool, answer["category"])
            for at, (tags, text) in enumerate(pool):
                if (
                    not ({"electric", "worn", "seat"} & tags and kind not in tags)
                    and not ("noproduct" in tags and answer["product"])
                    and not ("{q_a}" in text and not answer["product"])
                    and not ("{o}" in text and not answer["order_id"])
                    and not ("high" in tags and answer["urgency"] != "high")
                    and not ("refund" in tags and not answer["refund"])
                    and not ("norefund" in tags and answer["refund"])
                ):
                    return pool.pop(at)
            self.refill(pool, answer["category"])

    def refill(self, pool: list[tuple[frozenset[str], str]], category: str) -> None:
        pool.extend((tags, self.chosen(text)) for tags, text in self.dice.shuffled(self.phrases[category]))

    def chosen(self, text: str) -> str:
        """Choose among [a|b]."""
        return re.sub(r"\[([^\[\]]*\|[^\[\]]*)\]", lambda m: self.dice.pick(m[1].split("|")), text)

    def slots(self, answer: Row, name: str) -> dict[str, str]:
        """Fill everything a phrase may ask for."""
        dice = self.dice
        plural = name.endswith("headphones")
        other = dice.pick([value for value in sorted(PRODUCTS) if value != answer["product"]])
        price = dice.pick(
            (f"{dice.between(5, 289)}", f"{dice.between(9, 199)}.{dice.pick(('00', '50', '90', '95', '99'))}")
        )
        return {
            "p": name, "ps": name if plural else f"{name}s",
            "a": with_article(name), "a_cap": with_article(name).capitalize(),
            "q": other, "q_a": with_article(other), "q_a_cap": with_article(other).capitalize(),
            "it": "they" if plural else "it", "it_cap": "They" if plural else "It", "them": "them" if plural else "it",
            "is": "are" if plural else "is", "was": "were" if plural else "was", "has": "have" if plural else "has",
            "does": "do" if plural else "does", "this": "these" if plural else "this",
            "o": answer["order_id"] or "", "o2": order_id(dice), "n": str(dice.between(2, 9)),
            "money": dice.pick((f"{price} euros", f"{price} pounds", f"${price}", f"{price} EUR", price)),
            "day": dice.pick(DAYS), "nth": dice.pick(("3rd", "8th", "12th", "15th", "19th", "21st", "27th", "30th")),
            "mon": dice.pick(MONTHS), "city": dice.pick(CITIES), "name": dice.pick(NAMES),
            "d1": "2", "d4": dice.digits(4), "d6": dice.digits(6), "d8": dice.digits(8),
        }  # fmt: skip

    def fill(self, text: str, answer: Row, name: str) -> str:
        """Choose among [a|b] and fill the slots."""
        return self.chosen(text).format_map(self.slots(answer, name))

    def message(self, answer: Row) -> str:
        """Compose a message that says exactly what the answer holds."""
        dice = self.dice
        value = answer["product"]
        kind = PRODUCTS[value][0] if value else dice.pick(sorted(OFF_LIST))
        names = PRODUCTS[value][1] if value else dice.pick((VAGUE, OFF_LIST[kind]))
        name = (names[0] if value and dice.chance(0.72) else dice.pick(names)).lstrip("+")
        tags, body = self.body(answer, kind)
        if value and dice.chance(0.08):
            name = f"{dice.pick(COLOURS)} {name}"
        category = answer["category"]
        parts = [body]
        if value and not re.search(r"\{(p|ps|a)\}", body):
            parts.insert(dice.below(2), self.line("mention-product"))
        if answer["order_id"] and "{o}" not in body:
            parts.insert(dice.below(len(parts) + 1), self.line("mention"))
        if answer["refund"] and "refund" not in tags:
            parts.append(self.line("refund-ask"))
        elif not answer["refund"] and dice.chance(0.45):
            parts.append(self.line(f"norefund-{category}"))
        urgency = answer["urgency"]
        if urgency == "normal":
            parts += [self.line("distract-urgency")] if dice.chance(0.2) else []
        else:
            # One sentence says it at least; where the trouble itself does (a shock, a thief), none is needed.
            said = int("high" in tags and urgency == "high")
            for _, text in dice.shuffled(self.phrases[urgency])[: (1 - said) + dice.chance(0.4)]:
                parts.insert(dice.pick((0, len(parts), len(parts))), text)
        if value and dice.chance(0.08):
            parts.append(self.line("distract-product"))
        if dice.chance(0.09 if answer["order_id"] else 0.05):
            parts.append(self.line("distract-order"))
        if dice.chance(0.12):
            parts.append(self.line("distract-number"))
        if dice.chance(0.22):
            parts.insert(0, self.line("opening"))
        parts = [self.fill(part, answer, name) for part in parts]
        wanted = dice.between(18, 50)
        for _, text in dice.shuffled(self.phrases["chatter"])[:3]:
            if sum(len(part.split()) for part in parts) >= wanted:
                break
            parts.insert(dice.between(1, len(parts)), self.fill(text, answer, name))
        return self.style(parts, answer, name)

    def style(self, parts: list[str], answer: Row, name: str) -> str:
        """Join the parts as one of several kinds of people would type them."""
        dice = self.dice
        kind = dice.below(100)
        parts = [part if part[-1] in ".?!:)" or dice.chance(0.4) else part + "." for part in parts]
        text = dice.pick((" ", " ", " ", " ", "\n")).join(part[0].upper() + part[1:] for part in parts)
        if dice.chance(0.5):
            text = self.line("greeting") + dice.pick((" ", "\n", "\n\n")) + text
        if dice.chance(0.45):
            text += dice.pick((" ", "\n")) + self.fill(self.line("closer"), answer, name)
            if dice.chance(0.4):
                text += (dice.pick((" ", "\n")) if text[-1] in ".!?" else dice.pick((", ", "\n", " "))) + dice.pick(
                    NAMES
                )
        if kind < 42:
            return text
        if kind < 64:
            return self.typed(self.lowered(text), 0.02 if dice.chance(0.5) else 0.0)
        if kind < 82:
            return self.typed(text, 0.05)
        if kind < 90:
            return re.sub(r"\b([Tt]he|[Aa]n?) (?=[a-z])", lambda m: "" if dice.chance(0.6) else m[0], text)
        if kind < 94:
            return (
                dice.pick(("Subject: {}\n\n", "Re: {}\n\n", "{}:\n", "[{}] ")).format(
                    dice.pick(
                        (
                            "help needed",
                            "my order",
                            "question",
                            "please read",
                            "customer request",
                            "ticket",
                            "your shop",
                        )
                    )
                )
                + text
            )
        if kind < 97:
            return " ".join(
                word.upper() if dice.chance(0.15) and not ORDER_ID.search(word) else word for word in text.split(" ")
            )
        return text.replace(". ", dice.pick(("... ", " - ", ", ", "!! ", "; "))) + dice.pick(
            ("", " :)", " :(", " 🙏", " 😡", " 🙂")
        )

    def lowered(self, text: str) -> str:
        """Return the text in lower case, with less punctuation; order ids stay as they are."""
        text = re.sub(r"\S+", lambda m: m[0] if ORDER_ID.search(m[0]) else m[0].lower(), text)
        if self.dice.chance(0.5):
            text = text.replace("'", "").replace(",", "")
        if self.dice.chance(0.4):
            text = re.sub(r"\.(?=\s|$)", "", text)
        if self.dice.chance(0.4):
            text = re.sub(
                r"\b(please|you|thanks|because|and|are|with)\b",
                lambda m: SLANG[m[0]] if self.dice.chance(0.5) else m[0],
                text,
            )
        return text

    def typed(self, text: str, rate: float) -> str:
        """Return the text with slips of the finger: a letter doubled, dropped or swapped with its neighbour."""

        def slip(match: re.Match[str]) -> str:
            word, at = match[0], self.dice.between(1, max(1, len(match[0]) - 3))
            if not self.dice.chance(rate):
                return word
            return self.dice.pick(
                (
                    word[:at] + word[at] + word[at:],
                    word[:at] + word[at + 1 :],
                    word[:at] + word[at + 1] + word[at] + word[at + 2 :],
                )
            )

        return re.sub(r"\b[a-zA-Z]{5,}\b", slip, text)
