"""`sis-sync serve`: a parent process that keeps a web process and a worker process alive."""
