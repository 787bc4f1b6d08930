"""What is published of a dataset: a folder that Hugging Face loads, its card, and its Croissant metadata.

`splits` says which versions, `folder` writes them, `facts` collects what is known of how they came about, `words` what
people state of them, `text` and `croissant` put both down. Nothing here makes anything up: what is neither known nor
stated is said to be missing.
"""
