"""Plan: decide one action for each row and each absent account."""
