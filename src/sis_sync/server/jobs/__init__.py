"""Jobs: work that no page waits for. A job that runs belongs to a live process."""
