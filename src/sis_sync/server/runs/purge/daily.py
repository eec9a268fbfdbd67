"""The daily purge: once a day for the whole installation, at night, one piece at a time between the worker's jobs."""

import logging
import zoneinfo
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import DatabaseError, InterfaceError

from sis_sync.core.errors import AnotherInstanceRuns
from sis_sync.server.audit.models import AuditEntry, Purge
from sis_sync.server.audit.services import record
from sis_sync.server.logs import WithoutValues
from sis_sync.server.orgs.models import SchoolSystem
from sis_sync.server.runs.purge.purge import purge
from sis_sync.server.runs.purge.removed import Removed

logger = logging.getLogger(__name__)

QUIET_HOURS = range(2, 5)  # in the time zone of the first school system
SAME_NIGHT = timedelta(hours=12)
OVERDUE_AFTER = timedelta(hours=36)  # for a server that does not run at night
AGAIN_AFTER = timedelta(hours=1)  # if a purge was interrupted
LOOK_EVERY = timedelta(minutes=1)
# If the last purge is long ago, the clock may have jumped ahead, and a purge cannot be undone. Wait until the log has
# an entry of this week that is some hours old: people have then had that long to notice a wrong clock.
LONG_AGO = timedelta(days=7)
HOURS_TO_NOTICE = timedelta(hours=20)  # less than from one night to the next
WAITS = "data.purge_waits"


class DailyPurge:
    """The daily purge of one worker. Any worker may do it, and only one does."""

    def __init__(self) -> None:
        self._pieces: Iterator[Removed] | None = None
        self._looked_at: datetime | None = None

    def do_piece(self, *, now: datetime) -> bool:
        """Do one piece if a purge is due. Return True if the next one can be done at once."""
        if self._pieces is None:
            if not self._may_look(now) or not is_due(now=now) or may_clock_be_wrong(now=now):
                return False
            self._pieces = purge(now=now)
        try:
            return next(self._pieces, None) is not None or self._end()
        except AnotherInstanceRuns:
            return self._end()
        except (DatabaseError, InterfaceError, OSError, MemoryError):
            self._end()
            raise  # the worker waits until the place is well again
        except Exception as error:
            trace = WithoutValues().formatException((type(error), error, error.__traceback__))
            logger.error("the daily purge failed and is tried again in an hour: %s", trace)
            return self._end()

    def _may_look(self, now: datetime) -> bool:
        if self._looked_at is not None and timedelta() <= now - self._looked_at < LOOK_EVERY:
            return False
        self._looked_at = now
        return True

    def _end(self) -> bool:
        self._pieces = None
        return False


def is_due(*, now: datetime) -> bool:
    """True if the installation should be purged now: at night and not yet tonight, or overdue."""
    first, last = _first_system_and_last_purge()
    if first is None:
        return False
    since = now - (last.began_at if last is not None else first.created_at)
    if since < timedelta():  # the clock was set back
        since = OVERDUE_AFTER
    if last is not None and last.ended_at is None:
        return since >= AGAIN_AFTER
    is_quiet = now.astimezone(zoneinfo.ZoneInfo(first.time_zone)).hour in QUIET_HOURS
    return since >= (SAME_NIGHT if is_quiet else OVERDUE_AFTER)


def may_clock_be_wrong(*, now: datetime) -> bool:
    """True if nothing shows yet that the time since the last purge has really passed. Log it once a day."""
    first, last = _first_system_and_last_purge()
    if first is None or now - (last.began_at if last is not None else first.created_at) <= LONG_AGO:
        return False
    noticed = now - HOURS_TO_NOTICE
    if AuditEntry.objects.filter(at__gte=now - LONG_AGO, at__lte=noticed).exists():
        return False
    if not AuditEntry.objects.filter(action=WAITS, at__gt=noticed, at__lte=now).exists():
        logger.warning("nothing is purged yet: the clock may have jumped ahead, because nothing was done for a week")
        record(school_system=first, action=WAITS, now=now)
    return True


def _first_system_and_last_purge() -> tuple[SchoolSystem | None, Purge | None]:
    return SchoolSystem.objects.order_by("pk").first(), Purge.objects.order_by("-pk").first()
