"""The benchmark: compare the cost of each part with a peer or a floor in the same run, on files that never change."""
