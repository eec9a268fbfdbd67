"""Follow the runs of delivered files, and write the results of each run next to its archived file."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sis_sync.client.api import Api
from sis_sync.client.archive import companion_of
from sis_sync.client.journal import Delivery, Journal
from sis_sync.client.report import FileOutcome, PassReport
from sis_sync.client.responses import NotThere, RunStatus, TryLater
from sis_sync.client.results import write_reports
from sis_sync.client.retry import Clock, look_until
from sis_sync.core.whole_files import write_whole

_REFUSED_CODE = "file.refused"


@dataclass(frozen=True)
class Follower:
    """Follows the open runs during one pass. It ignores files that the server received over `keep_days` days ago."""

    journal: Journal
    api: Api
    clock: Clock
    report: PassReport
    keep_days: int

    def follow(self, *, seconds: float) -> list[RunStatus]:
        """Look at the runs while any makes progress by itself, for at most `seconds`. Return those that have not ended.

        If the server asks for fewer calls than there are runs, the next look begins with the others.
        """
        return look_until(
            self._look,
            is_over=lambda not_ended: not any(run.is_moving for run in not_ended),
            first=self._first_look(),
            seconds=seconds,
            clock=self.clock,
        )

    def _first_look(self) -> list[RunStatus]:
        try:
            return self._look()
        except TryLater as error:
            if not error.is_asked_to_wait:
                raise
            return []

    def _look(self) -> list[RunStatus]:
        """Check every open run once, mark the deliveries whose runs have ended, and return the other runs."""
        not_ended = []
        looked_at = None
        try:
            for delivery in self.journal.open_deliveries(since=self.clock.now() - timedelta(days=self.keep_days)):
                run = self._run_of(delivery)
                looked_at = delivery
                if run is None:
                    # The server has removed the run, so its results will never arrive.
                    self._finish(FileOutcome(delivery, "ended"))
                elif run.has_ended:
                    self._fetch_results(delivery)
                    code = self._store_refusal(delivery, run)
                    self._finish(FileOutcome(delivery, "ended", run=run, code=code))
                else:
                    not_ended.append(run)
        except Exception:
            if looked_at:
                self.journal.mark_followed(looked_at)
            raise
        return not_ended

    def _run_of(self, delivery: Delivery) -> RunStatus | None:
        try:
            return self.api.get_run(delivery.run_id)
        except NotThere:
            return None

    def _fetch_results(self, delivery: Delivery) -> None:
        for path in write_reports(self.api, delivery):
            self.journal.remember_archived(path, now=self.clock.now())

    def _store_refusal(self, delivery: Delivery, run: RunStatus) -> str:
        """Write the server's refusal next to the file and return its code. Return "" if there is no refusal."""
        if not run.refusal:
            return ""
        code = str(run.refusal.get("code", _REFUSED_CODE))
        findings = companion_of(Path(delivery.destination), "findings.txt")
        findings.parent.mkdir(parents=True, exist_ok=True)
        write_whole(findings, [f"{run.refusal.get('message', '')} ({code})\n".encode()])
        self.journal.remember_archived(findings, now=self.clock.now())
        return code

    def _finish(self, outcome: FileOutcome) -> None:
        # Do this last: after a crash, the next pass checks the run again and writes the same files again.
        self.journal.mark_ended(outcome.delivery, now=self.clock.now())
        self.report.add_file(outcome)
