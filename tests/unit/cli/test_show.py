"""`show` leaves nothing of a chat out: its tools, and the calls that a turn makes."""

from __future__ import annotations

import json

from sluice.cli.app import run


def test_tools_and_calls_of_a_chat_are_shown(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    call = {"id": "1", "type": "function", "function": {"name": "forecast", "arguments": '{"city": "Lyon"}'}}
    turns = [
        {"role": "user", "content": "Will it rain?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": "no"},
        {"role": "assistant", "content": "It stays dry."},
    ]
    tools = [{"type": "function", "function": {"name": name}} for name in ("almanac", "forecast")]
    (tmp_path / "c.jsonl").write_text(json.dumps({"messages": turns, "tools": tools}) + "\n")
    assert run(["add", "chats", "c.jsonl"]) == 0
    capsys.readouterr()
    assert run(["show", "chats"]) == 0
    listed = capsys.readouterr().out
    assert 'assistant: calls forecast {"city": "Lyon"} | tool: no' in listed
    row = listed.splitlines()[1].split()[0]
    assert run(["show", "chats", row]) == 0
    whole = capsys.readouterr().out
    assert "almanac" in whole
    assert "forecast" in whole
    assert "Lyon" in whole
