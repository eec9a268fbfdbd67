"""Runs: the trip of one file through the steps, stored so that it survives any crash."""
