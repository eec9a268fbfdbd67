"""`sis-sync serve`: one parent that keeps two processes, web and worker, alive."""
