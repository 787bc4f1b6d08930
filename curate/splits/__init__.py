"""Parts of a dataset: who goes to eval, dev and train, kept stable when rows are added."""
