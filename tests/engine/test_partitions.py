"""The number of partitions that a Spark session shuffles into, by the size of the tables and the place."""

from pathlib import Path
from unittest.mock import Mock

import pytest

from sis_sync.engine.spark import SparkApplication, SparkPlace

PARTITIONS = "spark.sql.shuffle.partitions"


def application(place: SparkPlace, *, is_configured: bool = False) -> SparkApplication:
    first = Mock()
    first.sparkContext.getConf.return_value.contains.return_value = is_configured
    return SparkApplication(place, first, Path())


@pytest.mark.parametrize(("rows", "partitions"), [(0, "1"), (24_999, "1"), (25_000, "2"), (10_000_000, "200")])
def test_few_rows_few_partitions(rows: int, partitions: str) -> None:
    assert application(SparkPlace()).partitions(rows) == {PARTITIONS: partitions}


def test_own_configuration_is_kept() -> None:
    assert application(SparkPlace(), is_configured=True).partitions(3) == {}


@pytest.mark.parametrize("place", [SparkPlace(master="spark://host:7077"), SparkPlace(remote="sc://host:15002")])
def test_cluster_keeps_its_own(place: SparkPlace) -> None:
    assert application(place).partitions(3) == {}
