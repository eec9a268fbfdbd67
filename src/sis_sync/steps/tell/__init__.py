"""Tell: what the sender of a file may learn about its rows."""
