"""English: a module per page, and the parts of sentences in `parts`."""
