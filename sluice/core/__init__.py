"""The floor that all rooms stand on: errors, rows and their hashes, files and locks, ledger, runs, project, task.

Everything here is about bytes, names and records; nothing knows of models, statistics or a terminal. It may import the
standard library and light packages (pydantic, filelock, jinja2, platformdirs), and no other room.
"""
