"""`python -m sis_sync` is `sis-sync`."""

from sis_sync.cli.main import main

main()
