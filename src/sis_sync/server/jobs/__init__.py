"""Jobs: work in the background. A running job belongs to a live process."""
