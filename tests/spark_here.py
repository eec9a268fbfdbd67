"""Whether Spark can run on this machine: pyspark and Java."""

import importlib.util
import os
import shutil

import pytest


def need_spark() -> None:
    """Skip the test without pyspark or Java; where CI=true that fails."""
    missing = [name for name, is_here in _parts().items() if not is_here]
    if missing and os.environ.get("CI") == "true":
        pytest.fail(f"not installed: {', '.join(missing)}")
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}; this was tried on DuckDB only")


def _parts() -> dict[str, bool]:
    has_java = bool(shutil.which("java") or os.environ.get("JAVA_HOME"))
    return {"pyspark": importlib.util.find_spec("pyspark") is not None, "Java 17": has_java}
