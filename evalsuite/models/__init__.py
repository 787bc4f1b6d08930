"""Models: from a name to checked files (`store`, `embedded`, `hub`, `identity`), and from files to answers (`local`).

A model's identity is the hash of every file that its loader reads. Code that comes with a model is never run.
"""
