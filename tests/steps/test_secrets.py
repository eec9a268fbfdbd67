"""Secrets are in no download, whatever their column is called."""

from pathlib import Path

from sis_sync.core.fields import FIELD_NAMES
from sis_sync.core.modes import PARTIAL
from sis_sync.engine.duckdb import open_session
from sis_sync.steps.map.mapper_lines import parse_mapping
from sis_sync.steps.pipeline import PlanInput, plan_file
from sis_sync.steps.plan.plan import save_plan
from sis_sync.steps.report import write_failed_rows, write_results

HEADER = ",".join(("Kennwort", *FIELD_NAMES))


def test_mapped_password_in_no_download(tmp_path: Path) -> None:
    roster = tmp_path / "roster.csv"
    rows = ("hunter22,Ana,,Ruiz,bad,1,010,Student,,9,Active", "x,hunter22,Ben,,Cole")
    roster.write_text("\n".join((HEADER, *rows, "")), encoding="utf-8")
    orgs = tmp_path / "orgs.csv"
    orgs.write_text("external_id,name\n010,North\n", encoding="utf-8")
    results, failed = tmp_path / "results.csv", tmp_path / "failed.csv"
    mapping = parse_mapping("mapper.local.column.password=Kennwort")
    with open_session() as session:
        plan, _ = plan_file(session, PlanInput(roster, PARTIAL, orgs, mapping=mapping))
        save_plan(session, plan, tmp_path / "plan", tmp_path / "unchanged")
        write_results(session, results, plan=tmp_path / "plan", unchanged=tmp_path / "unchanged")
        write_failed_rows(session, plan.records, failed)
    for path in (results, failed):
        text = path.read_text(encoding="utf-8")
        assert "Ana" in text
        assert "hunter22" not in text
