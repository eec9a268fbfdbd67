"""Runs: each takes one file through the steps. Its state is stored, so that it survives a crash."""
