"""Threads: one message a line (`--thread COL --order COL --role COL`), folded into chats before rows are made.

The messages of a thread are put in the order of their numbers or times. A thread with two messages of one order, with
orders of two sorts, or with a message without order, role or text, is set aside whole, line by line.
Columns with one value in the whole thread become metadata, and the order column the value of the first message; where
others differ, `turns` keeps them, one object a message. Each line stays a place that its row was seen at.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple, cast

from sluice.core.canonical import canonical
from sluice.core.chats import ROLES
from sluice.core.errors import InputError, UsageError
from sluice.core.rows import AnyRow, chat_row
from sluice.curate.formats.records import Table, near
from sluice.curate.formats.shapes.base import SHAPES, Reading, Record, Seen, Shape
from sluice.curate.formats.shapes.turns import checked, kind_of

SPEAKERS = {
    **{role: role for role in ROLES},
    **dict.fromkeys(("human", "customer", "client", "visitor", "end-user"), "user"),
    **dict.fromkeys(("agent", "support", "bot", "gpt"), "assistant"),
}
"""Words for roles that need no `--roles`, in any case."""
TEXTS = ("text", "content", "body", "message", "comment", "value")
"""Columns that hold the text where `--text` does not say which."""
BESIDE = "-"
"""The role of messages that are no turn: notes, events. They stay in `turns`, with their text."""


class Placed(NamedTuple):
    """What an order column says of one message."""

    at: Decimal | datetime
    sort: str
    """Orders of one sort can be compared: a number, a time with or without a zone."""


def parse_roles(text: str | None) -> dict[str, str]:
    """Return roles by the words of a file. Raises UsageError for what is no WORD=ROLE."""
    found: dict[str, str] = {}
    for pair in (text or "").split(","):
        word, equals, role = (part.strip() for part in pair.partition("="))
        if not pair.strip():
            continue
        if not equals or not word or role not in (*ROLES, BESIDE):
            remedy = f"roles: {', '.join(ROLES)}; {BESIDE} for what is no turn of the chat (internal notes)"
            raise UsageError(f"--roles {pair.strip()!r} is no WORD=ROLE", remedy=remedy)
        found[word.casefold()] = role
    return found


def fold(table: Table, seen: Seen) -> Table:
    """Return a table of one record a thread, with the column `messages`; broken threads are set aside.

    Raises InputError for a column that is not there, and for one in which no line has an order.
    """
    columns = _columns(seen)
    speakers = SPEAKERS | parse_roles(seen.options.roles)
    aside = list(table.set_aside)
    threads: dict[str, list[int]] = {}
    for i, record in enumerate(table.records):
        value = record.get(columns["thread"])
        if value is None or value == "":
            aside += table.aside(i, f"no thread: {columns['thread']} is empty")
        else:
            threads.setdefault(canonical(value), []).append(i)
    orders = [_order(r.get(columns["order"])) for r in table.records]
    if not any(isinstance(order, Placed) for order in orders):
        _refuse_orders(table, columns["order"], seen)
    records: list[Record] = []
    pieces: list[list[tuple[int, str]]] = []
    for numbers in threads.values():
        problem = _broken(table, numbers, orders, columns, speakers)
        if problem is not None:
            name = table.records[numbers[0]][columns["thread"]]
            for i in numbers:
                aside += table.aside(i, f"thread {name}: {problem}")
            continue
        inside = _sorted(numbers, orders)
        records.append(_chat([table.records[i] for i in inside], columns, speakers))
        pieces.append([(table.lines[i], table.raw(i)) for i in inside])
    return Table(
        columns=table.columns,
        lines=[lines[0][0] for lines in pieces],
        records=records,
        raw=lambda i: "\n".join(raw for _, raw in pieces[i]),
        set_aside=sorted(aside, key=lambda a: a.line),
        encoding=table.encoding,
        nulls_are_gaps=table.nulls_are_gaps,
        left_out=table.left_out,
        pieces=pieces,
    )


def _sorted(numbers: list[int], orders: Sequence[Placed | str]) -> list[int]:
    def key(index: int) -> Any:
        return cast("Placed", orders[index]).at  # a thread with anything else is broken

    return sorted(numbers, key=key)


def _columns(seen: Seen) -> dict[str, str]:
    """Return the column of thread, order, role and text."""
    options = seen.options
    asked = {"thread": options.thread, "order": options.order, "role": options.role, "text": options.text}
    lacking = [name for name in ("thread", "order", "role") if not asked[name]]
    if lacking:
        raise UsageError(
            f"a thread needs --thread, --order and --role; --{lacking[0]} is not given",
            remedy="name the columns: which conversation, in which order, who speaks",
        )
    if asked["text"] is None:
        free = [c for c in seen.columns if c not in asked.values()]
        asked["text"] = next((c for c in TEXTS if c in free), None)
        if asked["text"] is None:
            raise InputError(
                f"which column is the text? It has: {', '.join(free)}", where=str(seen.path), remedy="add --text COL"
            )
    found = {name: str(column) for name, column in asked.items()}
    for name, column in found.items():
        if column not in seen.columns:
            raise InputError(
                f"--{name}: no column is called '{column}'", where=str(seen.path), remedy=near(column, seen.columns)
            )
    return found


def _refuse_orders(table: Table, column: str, seen: Seen) -> None:
    """Raise InputError for a column of which no value says an order: it is the wrong one."""
    for record, line in zip(table.records, table.lines, strict=True):
        value = record.get(column)
        if value is not None and value != "":
            raise InputError(
                f"line {line}: {column} is {value!r}, neither a number nor a time; no other line has an order either",
                where=str(seen.path),
                remedy="write times as 2024-05-31 14:05:00, or name another column with --order",
            )


def _order(value: Any) -> Placed | str:
    """Return the order that a value says, or what is wrong with it."""
    if value is None or value == "":
        return "empty"
    wrong = f"{value!r}, neither a number nor a time"
    if isinstance(value, bool):
        return wrong
    try:
        number = Decimal(str(value).strip())
        if number.is_finite():
            return Placed(number, "a number")
    except InvalidOperation:
        pass
    try:
        moment = datetime.fromisoformat(str(value).strip())
    except ValueError:
        return wrong
    return Placed(moment, "a time with a zone" if moment.tzinfo else "a time without a zone")


def _broken(
    table: Table, numbers: list[int], orders: Sequence[Placed | str], columns: dict[str, str], speakers: dict[str, str]
) -> str | None:
    """Return why a thread cannot be folded, None where it can."""
    seen: dict[Placed, int] = {}
    for i in numbers:
        record, line = table.records[i], table.lines[i]
        order = orders[i]
        if not isinstance(order, Placed):
            return f"line {line} has no order ({columns['order']} is {order})"
        for at, other in seen.items():
            if at.sort != order.sort:
                return (
                    f"{columns['order']} is {at.sort} in line {other} and {order.sort} in line {line}: "
                    "they have no order among them"
                )
            break
        if order in seen:
            return f"lines {seen[order]} and {line} have the same order ({columns['order']})"
        seen[order] = line
        word = record.get(columns["role"])
        if word is None or word == "":
            return f"line {line} has no role ({columns['role']} is empty)"
        if not isinstance(word, str) or word.strip().casefold() not in speakers:
            return f"line {line}: who is {word!r}? (--roles {word}=user, {word}=assistant, or {word}=- for a note)"
        text = record.get(columns["text"])
        if text is not None and not isinstance(text, str):
            return f"line {line}: {columns['text']} is {kind_of(text)}, not a text"
    return None


def _chat(messages: list[Record], columns: dict[str, str], speakers: dict[str, str]) -> Record:
    """Return a thread as one record: its messages, what is the same in all of them, and what differs."""
    thread, order, role, text = (columns[name] for name in ("thread", "order", "role", "text"))
    roles = [speakers[m[role].strip().casefold()] for m in messages]
    spoken = [(who, m.get(text) or "") for who, m in zip(roles, messages, strict=True) if who != BESIDE]
    chat = [{"role": who, "content": said} for who, said in spoken]
    beside: Record = {thread: messages[0][thread], order: messages[0][order]}
    differs = [order, role]
    for key in dict.fromkeys(key for message in messages for key in message if key not in columns.values()):
        values = [message.get(key) for message in messages]
        if all(type(v) is type(values[0]) and v == values[0] for v in values):
            beside[key] = values[0]
        else:
            differs.append(key)
    turns = [
        {key: m[key] for key in (*differs, *([text] if who == BESIDE else [])) if m.get(key) is not None}
        for who, m in zip(roles, messages, strict=True)
    ]
    return {**beside, ("turns" if "turns" not in beside else "sluice_turns"): turns, CHAT: chat}


CHAT = "(messages of the thread)"
"""Where a folded record keeps its chat."""


def read(seen: Seen) -> Reading:
    """Return how threads are read; their lines are folded first."""
    columns = _columns(seen)

    def build(record: Record) -> AnyRow:
        return checked(chat_row(record[CHAT]))

    def folded(table: Table) -> Table:
        return fold(table, seen)

    used = frozenset(columns.values())
    return Reading("thread", SHAPE.title, used, build, taken=frozenset({CHAT}), fold=folded)


SHAPE = SHAPES.register("thread")(
    Shape(
        name="thread",
        title="threads of one message a line",
        help="--thread COL --order COL --role COL [--text COL] [--roles agent=assistant,...]: folded into chats",
        examples=(
            {"ticket": 1, "sent": 1, "author": "customer", "text": "Where is my parcel?"},
            {"ticket": 1, "sent": 2, "author": "agent", "text": "On its way."},
        ),
        fits=lambda seen: seen.options.thread is not None,
        read=read,
        options=("thread", "order", "role"),
    )
)
