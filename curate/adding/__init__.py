"""How rows come in: from files to a new version, with the lines set aside and what became of each."""
