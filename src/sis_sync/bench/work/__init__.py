"""The measured work: each module runs as its own process, `python -m sis_sync.bench.work.NAME ...`, and prints JSON."""
