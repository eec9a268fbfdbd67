"""One action for each row and for each absent account."""
