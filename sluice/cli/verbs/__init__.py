"""One thin file a verb: parse, call the library function of the same name, draw its result.

Each module exposes `command`, made by `sluice.cli.verb.verb` or `verb_group`. The list of verbs and their one-line
help is `sluice/cli/table.py`; a module here is imported only when its verb is called, and imports nothing heavy at its
top.
"""
