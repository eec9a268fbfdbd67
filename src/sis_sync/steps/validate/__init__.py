"""Every fault of every row, and the sentence that says it."""
