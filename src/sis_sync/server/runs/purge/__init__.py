"""Purge: removes what is older than its time, in small pieces, so that pages and jobs need not wait."""
