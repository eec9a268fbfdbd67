"""What is measured: each module is a process of its own, `python -m sis_sync.bench.work.NAME ...`, and prints JSON."""
