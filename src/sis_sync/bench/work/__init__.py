"""The measured work. Each module runs in its own process, `python -m sis_sync.bench.work.NAME ...`, and prints JSON."""
