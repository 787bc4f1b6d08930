"""The demo: the whole road on sample data, each step a command as a user would type it.

`steps` says what is done in which order, `walk` carries it out and remembers what is done. It decides nothing that a
verb does not decide; it may import the verbs' front door.
"""
