"""The screen on which people decide about rows: one key a decision, kept at once. May import what `sluice.cli` may.

`keys` says which key means what, `app` is the screen, `dialogs` what opens above it, `plain` the same for a dumb
terminal. All of them drive `sluice.curate.labels.session`, which knows no screen.
"""
