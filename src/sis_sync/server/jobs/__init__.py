"""Jobs: work that pages never wait for, each owned by a live process."""
