"""What the parts cost, measured beside a peer or a floor in the same run: deterministic files, processes, figures."""
