"""SIS Sync: user accounts that match what the school's information system exports."""

import os

# numpy only looks at bytes here. The threads that it would start for algebra cost a small run a twentieth of its time.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
