"""The front door: the only place with a terminal.

`app` is the command, `edge` turns exceptions into one line, `table` is the static list of verbs, `verb` what a verb
file is made with, `terminal` what it draws and asks with, `verbs/` holds one thin file a verb. It may import everything
below it; nothing imports it.
"""
