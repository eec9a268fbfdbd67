"""The environment variables that configure a process: name, default and meaning. The docs print these tables."""

import os
from dataclasses import dataclass

from sis_sync.core.errors import ConfigurationError

TRUE_WORDS = ("1", "true", "yes", "on")


@dataclass(frozen=True)
class Variable:
    """An environment variable. `default` is a value, or a description if the default differs between machines.

    `about` is the meaning that the docs print. `least` is the minimum of a number.
    """

    name: str
    default: str
    about: str
    least: int = 0

    def text(self) -> str:
        """Return the value, or an empty string if the variable is not set."""
        return os.environ.get(self.name, "")

    def is_on(self) -> bool:
        """Return True for 1, true, yes or on."""
        return self.text().strip().lower() in TRUE_WORDS

    def words(self) -> list[str]:
        """Return the items of a comma-separated list, trimmed, without empty ones."""
        return [part.strip() for part in self.text().split(",") if part.strip()]

    def number(self) -> int:
        """Return the whole number, or the default if empty. Raise ConfigurationError if it is invalid."""
        text = self.text().strip() or self.default
        if not text.isascii() or not text.isdigit() or int(text) < self.least:
            raise ConfigurationError(
                f"{self.name} is {text!r}, which is not a whole number of at least {self.least}.",
                fix=f"Write a number, or leave it empty for {self.default}.",
            )
        return int(text)


DATA_FOLDER = Variable(
    "SIS_SYNC_DATA_FOLDER",
    "the user's data folder",
    "database file, uploads, plans and results, locks; only the server's user may read it",
)
DATABASE_URL = Variable(
    "SIS_SYNC_DATABASE_URL",
    "SQLite in the data folder",
    "`postgresql://user:password@host:5432/name`; `?host=/run/postgresql` names a socket folder",
)
SECRET_KEY_FILE = Variable(
    "SIS_SYNC_SECRET_KEY_FILE",
    "`secret.key` in the data folder",
    "the key that signs sessions; the first start makes it, readable by its owner only",
)
ALLOWED_HOSTS = Variable(
    "SIS_SYNC_ALLOWED_HOSTS",
    "this machine's own names",
    "the host names that the server answers to, with commas",
)
BEHIND_PROXY = Variable(
    "SIS_SYNC_BEHIND_PROXY",
    "off",
    "`1` if a reverse proxy with TLS is in front: the server trusts its headers, marks cookies secure and sends HSTS",
)
MEMORY_MB = Variable(
    "SIS_SYNC_MEMORY_MB",
    "1024",
    "the memory for planning or applying one run; what needs more goes to the disk of the data folder; "
    "the worker needs about 200 MB on top",
    least=128,
)
THREADS = Variable(
    "SIS_SYNC_THREADS", "2", "the processors that planning one run may use, on the server or offline", least=1
)
PLAN_SECONDS = Variable(
    "SIS_SYNC_PLAN_SECONDS",
    "600",
    "a file whose check and plan take longer is refused, so that one file cannot hold up all others",
    least=1,
)
FROZEN_SECONDS = Variable(
    "SIS_SYNC_FROZEN_SECONDS",
    "60",
    "a worker that shows no sign of life for so many seconds is ended and replaced, and its job goes on",
    least=1,
)
ENGINE = Variable(
    "SIS_SYNC_ENGINE",
    "duckdb",
    "the engine that plans runs: `duckdb` or `spark` ([Scale](scale.md)); `sis-sync plan` has `--engine` instead",
)
MAX_FILE_MB = Variable("SIS_SYNC_MAX_FILE_MB", "1024", "a larger roster file is refused", least=1)
MAX_RECORDS = Variable("SIS_SYNC_MAX_RECORDS", "10000000", "a file with more records is refused", least=1)
MAX_COLUMNS = Variable("SIS_SYNC_MAX_COLUMNS", "200", "a file with more columns is refused", least=10)
MAX_CELL_KB = Variable("SIS_SYNC_MAX_CELL_KB", "32", "a file with a larger cell is refused", least=1)
SPARK_MASTER = Variable(
    "SIS_SYNC_SPARK_MASTER", "local[*]", "`local[8]`, or `spark://host:7077` for a standalone cluster"
)
SPARK_REMOTE = Variable(
    "SIS_SYNC_SPARK_REMOTE",
    "none",
    "`sc://host:15002`, a Spark Connect server; used instead of the master. Needs `pip install 'pyspark[connect]'`",
)
SPARK_FOLDER = Variable(
    "SIS_SYNC_SPARK_FOLDER",
    "a temporary folder",
    "the folder of tables while a plan is made. On a cluster: one folder, with the same path on this machine and on "
    "all workers",
)

CALLS_A_MINUTE = Variable("SIS_SYNC_CALLS_A_MINUTE", "60", "the calls that one API key may make in a minute", least=1)
UPLOADS_AT_ONCE = Variable("SIS_SYNC_UPLOADS_AT_ONCE", "2", "the files that one API key may send at a time", least=1)
OPEN_FILES = Variable(
    "SIS_SYNC_OPEN_FILES",
    "100",
    "the files and undos of one API key that may be open: being checked or applied, or waiting for a person",
    least=1,
)
UPLOAD_MB_A_DAY = Variable(
    "SIS_SYNC_UPLOAD_MB_A_DAY", "2048", "what one API key may send in 24 hours, gzip unpacked", least=1
)
FIRST_FILE_MB = Variable(
    "SIS_SYNC_FIRST_FILE_MB",
    "50",
    "the size of a file, unpacked, that an API key may send before a person has approved one of its runs; managers may "
    "set another one for each key",
    least=1,
)
WRONG_PASSWORDS_OF_AN_ADDRESS = Variable(
    "SIS_SYNC_WRONG_PASSWORDS_OF_AN_ADDRESS",
    "10",
    "wrong passwords in 15 minutes that close signing in with an e-mail address",
    least=1,
)
WRONG_PASSWORDS_OF_A_PLACE = Variable(
    "SIS_SYNC_WRONG_PASSWORDS_OF_A_PLACE",
    "20",
    "wrong passwords in 15 minutes from one network address that slow further tries from it down; the schools' own "
    "networks (Settings) have 30 times as many",
    least=1,
)
WRONG_PASSWORDS_IN_ALL = Variable(
    "SIS_SYNC_WRONG_PASSWORDS_IN_ALL",
    "300",
    "wrong passwords in 15 minutes that slow further tries down, except from the schools' own networks; each network "
    "address counts at most as many as slow it down itself",
    least=1,
)

# The client and the offline commands apply these limits too.
FILE_VARIABLES = (MAX_FILE_MB, MAX_RECORDS, MAX_COLUMNS, MAX_CELL_KB)
SERVER_VARIABLES = (
    DATA_FOLDER,
    DATABASE_URL,
    SECRET_KEY_FILE,
    ALLOWED_HOSTS,
    BEHIND_PROXY,
    MEMORY_MB,
    THREADS,
    PLAN_SECONDS,
    FROZEN_SECONDS,
    ENGINE,
    *FILE_VARIABLES,
    CALLS_A_MINUTE,
    UPLOADS_AT_ONCE,
    OPEN_FILES,
    UPLOAD_MB_A_DAY,
    FIRST_FILE_MB,
    WRONG_PASSWORDS_OF_AN_ADDRESS,
    WRONG_PASSWORDS_OF_A_PLACE,
    WRONG_PASSWORDS_IN_ALL,
)
SPARK_VARIABLES = (ENGINE, SPARK_MASTER, SPARK_REMOTE, SPARK_FOLDER)
