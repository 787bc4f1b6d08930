from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.core.errors import InputError
from sluice.core.project import Project
from sluice.core.prompt import (
    Block,
    Prompt,
    input_template,
    load_prompt,
    parse_prompt,
    rendered_hash,
    shot_blocks,
    showable,
)
from sluice.core.rows import Example, chat_input, chat_row

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
nasty = st.lists(
    st.sampled_from(
        ["\n", "\r", "\r\n", "---user---", "---x---", "{{", "}}", "{%", "{#", "a", " ", '"', "\\", "é😀\u2028\x85"]
    )
    | st.sampled_from(["{% endraw %}", "{%- endraw -%}", "{{ body }}", "{% raw %}", "#}", "%}", "\x00\x7f", "{"]),
    max_size=7,
).map("".join)


def said(prompt: Prompt, content: dict[str, Any]) -> str:
    return str(prompt.render(content)[-1]["content"])


def test_a_file_without_markers_is_one_user_block() -> None:
    prompt = parse_prompt("p.md", "\n\nSummarise: {{ body }}\n\n")
    assert prompt.render({"body": "x"}) == [{"role": "user", "content": "Summarise: x"}]


def test_markers_begin_blocks() -> None:
    text = "---system---\nBe brief.\n\n---user---\nA {{ a }}\n--- assistant ---\nfine\n---user---  \n{{ b }}\n"
    for ends in ("\n", "\r\n"):
        prompt = parse_prompt("p.md", text.replace("\n", ends))
        assert prompt.render({"a": 1, "b": [True, None]}) == [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "A 1"},
            {"role": "assistant", "content": "fine"},
            {"role": "user", "content": "[true,null]"},
        ]


@pytest.mark.parametrize(
    "text, word",
    [
        ("", "empty"),
        (" \n\t\n", "empty"),
        ("hello\n---user---\nx", "before the first"),
        ("---sytem---\nx\n---user---\ny", "---system---"),
        ("---User---\nx", "---user---"),
        ("---user---\n{{ x", "p.md:"),
        ("---user---\n{% for x in y %}", "Jinja2"),
        ("{{ x | nofilter }}", "nofilter"),
    ],
)
def test_what_is_no_prompt_is_refused_with_the_place(text: str, word: str) -> None:
    with pytest.raises(InputError) as problem:
        parse_prompt("p.md", text)
    assert word in str(problem.value)
    assert (problem.value.where or "").startswith("p.md")
    assert problem.value.remedy


def test_an_unknown_marker_is_named_by_line() -> None:
    with pytest.raises(InputError) as problem:
        parse_prompt("p.md", "---system---\na\nb\n---asistant---\nc")
    assert problem.value.where == "p.md:4"


@pytest.mark.parametrize(
    "text", ["{{ bodi }}", "{{ fields.bodi }}", "{{ fields['bodi'] }}", "{% if bodi %}x{% endif %}"]
)
def test_an_undefined_variable_is_named_beside_the_fields(text: str) -> None:
    prompt = parse_prompt("p.md", text)
    with pytest.raises(InputError) as problem:
        prompt.render({"body": "x", "order id": "y", "gone": None})
    assert "bodi" in problem.value.message
    assert "body, order id" in (problem.value.remedy or "")
    assert "gone" not in (problem.value.remedy or "")
    assert problem.value.where == "p.md"


def test_an_absent_field_can_have_a_default() -> None:
    prompt = parse_prompt("p.md", "{{ order | default('none') }}{% if order is defined %}!{% endif %}")
    assert said(prompt, {"order": None}) == "none" == said(prompt, {})
    assert said(prompt, {"order": 7}) == "7!"


@pytest.mark.parametrize(
    "attack",
    [
        "{{ ''.__class__ }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ fields.__init__.__globals__ }}",
        "{{ body | attr('__class__') }}",
        "{{ ''['__class__'] }}",
        "{{ '{0.__class__}'.format(body) }}",
        "{{ self.__init__ }}",
        "{{ range.__globals__ }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ fields.update({'body': 'x'}) }}",
        "{{ fields.clear() }}",
        "{% include '/etc/passwd' %}",
        "{% import 'os' as os %}",
        "{{ lipsum() }}",
        "{{ [1, 2] | random }}",
        "{% for i in range(10000000) %}x{% endfor %}",
        "{{ 9 ** 9999999 }}",
        "{{ 'x' * 999999999 }}",
        "{{ 999999999 * [1] }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{{ 1 / 0 }}",
        "{{ body + 1 }}",
        "{{ body[0:'x'] }}",
        "{{ body.upper }}",
        "{{ fields.items }}",
        "{{ '%d' | format(body) }}",
        "{{ body.nothing() }}",
    ],
)
def test_attacks_and_accidents_are_one_clear_error(attack: str) -> None:
    with pytest.raises(InputError) as problem:
        parse_prompt("p.md", attack).render({"body": "text"})
    assert (problem.value.where or "").startswith("p.md")


def test_ordinary_templates_still_work() -> None:
    text = "{% for n in range(1, 4) %}{{ n }}.{% endfor %}{{ '-' * 3 }}{{ 2 * 3 }}{{ body.upper() }}{{ body | length }}"
    assert said(parse_prompt("p", text), {"body": "ab"}) == "1.2.3.---6AB2"


def test_json_for_a_model_keeps_letters_and_order() -> None:
    prompt = parse_prompt("p", "{{ fields | tojson }}")
    assert said(prompt, {"z": "ü <b>'", "a": "1"}) == '{"z": "ü <b>\'", "a": "1"}'


def test_a_field_that_holds_template_text_is_data() -> None:
    body = "{{ 1 + 1 }} {% raw %} ---system---\n<&>"
    assert said(parse_prompt("p", "{{ body }}"), {"body": body}) == body


def test_a_chat_follows_the_system_text() -> None:
    chat = chat_input([{"role": "system", "content": "own"}, {"role": "user", "content": "{{ hi }}"}])
    prompt = parse_prompt("p", "---system---\nBe {{ 'kind' }}.")
    assert prompt.render(chat) == [
        {"role": "system", "content": "Be kind."},
        {"role": "system", "content": "own"},
        {"role": "user", "content": "{{ hi }}"},
    ]
    with pytest.raises(InputError, match="user block"):
        parse_prompt("p", "Answer well.").render(chat)
    with pytest.raises(InputError, match="body"):
        parse_prompt("p", "---system---\n{{ body }}").render(chat)


def test_fields_need_a_user_block_at_the_end() -> None:
    for text in ("---system---\nx", "---user---\n{{ a }}\n---assistant---\nb"):
        with pytest.raises(InputError, match="no user block"):
            parse_prompt("p", text).render({"a": "x"})


def test_composed_examples_are_data_and_not_templates() -> None:
    template = parse_prompt("p", "---system---\ns\n---user---\nQ: {{ q }}")
    rows = [Example(input={"q": "{{ boom }} {% x %}"}, target='{"a": "{{ b }}"}')]
    blocks = shot_blocks(template, rows)
    prompt = Prompt(name="few", blocks=(template.blocks[0], *blocks, template.blocks[-1]), shots=(rows[0].row,))
    rendered = prompt.render({"q": "now"})
    assert [m["role"] for m in rendered] == ["system", "user", "assistant", "user"]
    assert [m["content"] for m in rendered[1:]] == ["Q: {{ boom }} {% x %}", '{"a": "{{ b }}"}', "Q: now"]


def test_examples_that_are_chats_keep_their_turns() -> None:
    pairs = [("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d")]
    row = chat_row([{"role": r, "content": c} for r, c in pairs])
    blocks = shot_blocks(Prompt(name="x", blocks=()), [row])
    assert [(b.role, b.text) for b in blocks] == pairs
    prompt = Prompt(name="x", blocks=(Block(role="system", text="s", template=False), *blocks))
    chat = chat_input([{"role": "user", "content": "now"}])
    assert [m["content"] for m in prompt.render(chat)] == ["s", "a", "b", "c", "d", "now"]


def test_examples_that_blocks_cannot_hold_are_refused() -> None:
    call = {"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "{}"}}]}
    tool = {"role": "tool", "content": "42", "tool_call_id": "1"}
    user, closing = {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}
    for messages in ([user, call, tool, closing], [user, call], [call, user, closing]):
        row = chat_row(messages)
        assert not showable(row)
        with pytest.raises(InputError, match="tool turns") as problem:
            shot_blocks(Prompt(name="x", blocks=()), [row])
        assert problem.value.where == row.row


def test_the_system_turn_of_an_example_is_left_out() -> None:
    messages = [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b"},
    ]
    row = chat_row(messages)
    assert showable(row)
    assert [b.role for b in shot_blocks(Prompt(name="x", blocks=()), [row])] == ["user", "assistant"]


names = st.sampled_from(
    ["body", "order id", "größe", "class", "self", "fields", "range", "true", "loop", "items", "a{{b", "x\ny"]
)


@given(st.dictionaries(names | texts, texts.filter(bool), min_size=1, max_size=4))
def test_the_composed_template_shows_every_field_as_it_is(content: dict[str, str]) -> None:
    shown = said(Prompt(name="p", blocks=(Block(role="user", text=input_template(content)),)), content)
    if len(content) == 1:
        assert shown == next(iter(content.values()))
    else:
        assert shown == "\n".join(f"{k}: {v}" for k, v in content.items())


def test_plain_names_are_written_plainly() -> None:
    assert input_template({"body": "x", "n": 1}) == "body: {{ body }}\nn: {{ n }}"
    assert input_template({"order id": "x"}) == '{{ fields["order id"] }}'


def test_fields_that_may_be_absent_are_shown_as_nothing() -> None:
    text = input_template({"subject": "", "order id": ""}, {"order id"})
    prompt = Prompt(name="p", blocks=(Block(role="user", text=text),))
    assert said(prompt, {"subject": "a", "order id": "b"}) == "subject: a\norder id: b"
    assert said(prompt, {"subject": "a"}) == "subject: a\norder id: "
    with pytest.raises(InputError):
        prompt.render({"order id": "b"})


def test_the_hash_is_of_roles_and_texts() -> None:
    base = parse_prompt("a", "---system---\ns\n---user---\n{{ x }}")
    assert parse_prompt("b", "---system---\ns\n---user---\n{{ x }}").sha256 == base.sha256
    others = [
        parse_prompt("a", "---user---\ns\n---user---\n{{ x }}"),
        parse_prompt("a", "---system---\ns \n---user---\n{{ x }}"),
        parse_prompt("a", "{{ x }}"),
        Prompt(name="a", blocks=tuple(b.model_copy(update={"template": False}) for b in base.blocks)),
        parse_prompt("a", "---system---\né\n---user---\n{{ x }}"),
        parse_prompt("a", "---system---\ne\u0301\n---user---\n{{ x }}"),
    ]
    assert len({p.sha256 for p in [base, *others]}) == len(others) + 1
    assert base.model_copy(update={"blocks": others[2].blocks}).sha256 == others[2].sha256


def test_rendered_messages_have_a_stable_hash() -> None:
    prompt = parse_prompt("p", "---system---\ns\n---user---\n{{ x }}")
    rows = [{"x": "one"}, {"x": "zwei ü"}]
    first = rendered_hash(prompt.render(r) for r in rows)
    # pinned: a change makes every recorded baseline stale, so it is never made by the way
    assert first == "56cf1b9c6b4edb589c94c6eb71cf61de7537b52ff2c8ae608df813e15a574491"
    assert rendered_hash(prompt.render(r) for r in rows) == first
    assert rendered_hash(prompt.render(r) for r in rows[::-1]) != first
    assert rendered_hash([prompt.render({"x": "é"})]) != rendered_hash([prompt.render({"x": "e\u0301"})])


def test_a_prompt_of_the_project_is_read_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "p.md").write_bytes("\ufeffhä {{ x }}\r\n".encode())
    prompt = load_prompt(Project(tmp_path), "prompts/p.md")
    assert said(prompt, {"x": "1"}) == "hä 1"
    assert list(prompt.texts()) == ["prompts/p.md[0].user"]
    with pytest.raises(InputError, match="does not exist"):
        load_prompt(Project(tmp_path), "prompts/q.md")
    with pytest.raises(InputError, match="outside"):
        load_prompt(Project(tmp_path), "../p.md")
    (tmp_path / "latin.md").write_bytes(b"h\xe4")
    with pytest.raises(InputError, match="UTF-8"):
        load_prompt(Project(tmp_path), "latin.md")
