"""The benchmark: measure what each part costs next to a peer or a floor in the same run, on files that never differ."""
