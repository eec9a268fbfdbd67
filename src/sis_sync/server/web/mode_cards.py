"""The mode cards: the last runs of each mode (Home), and how many people it could touch (the upload form)."""

from collections.abc import Iterable
from dataclasses import dataclass

from sis_sync.core.fields import USER_TYPES
from sis_sync.core.modes import MODES, Mode
from sis_sync.server.accounts.models import Account
from sis_sync.server.orgs.models import Org
from sis_sync.server.orgs.selectors import scope_org
from sis_sync.server.runs.models import ModeSettings, Run
from sis_sync.server.runs.selectors import runs_of
from sis_sync.server.web.people_list import CappedCount, count_capped
from sis_sync.server.web.words import MODE_PEOPLE

MOST_AT_RISK = 50_000  # per user type. Above this, the form stops counting and says so


@dataclass(frozen=True)
class ModeHealth:
    """A mode with its newest run and its newest applied run."""

    mode: Mode
    last_run: Run | None
    last_applied: Run | None


@dataclass(frozen=True)
class ModeRisk:
    """A mode on the upload form. `people_at_risk` people would leave if the file named none of them."""

    mode: Mode
    people_at_risk: CappedCount
    on_absent: str
    requires_approval: bool

    @property
    def sentence(self) -> str:
        """Return a sentence on what happens to the people of this mode, with their number."""
        if not self.mode.judges_absence:
            return self.mode.consequence
        number = self.people_at_risk
        people = f"{number} {MODE_PEOPLE[self.mode.name][number.number != 1]}"
        fate = {
            "delete": "any not in the file will be deleted.",
            "disable": "any not in the file will be disabled.",
            "nothing": "those not in the file are left as they are (your setting for this mode).",
        }[self.on_absent]
        return f"{people} here; {fate}"

    @property
    def afterwards(self) -> str:
        """Return a sentence on what happens after the check."""
        if self.requires_approval:
            return "You see what would change; nothing changes until a manager approves."
        return "Applied right after the check, without approval, unless a limit puts it on hold."


def health_of_modes(*, actor: Account) -> tuple[ModeHealth, ...]:
    """Return the four modes with their runs over the actor's orgs."""
    runs = runs_of(actor=actor)
    return tuple(
        ModeHealth(
            mode=mode,
            last_run=runs.filter(mode=mode.name).first(),
            last_applied=runs.filter(mode=mode.name, state=Run.State.APPLIED).order_by("-applied_at", "-pk").first(),
        )
        for mode in MODES.values()
    )


def risks_of_modes(*, actor: Account) -> tuple[ModeRisk, ...]:
    """Return the four modes, each with the number of people who would leave if the actor's file named no one."""
    numbers = people_by_type(actor=actor)
    settings = {each.mode: each for each in ModeSettings.objects.filter(school_system_id=actor.school_system_id)}
    return tuple(
        ModeRisk(
            mode=mode,
            people_at_risk=added(numbers[user_type] for user_type in mode.user_types),
            on_absent=settings[mode.name].on_absent,
            requires_approval=settings[mode.name].requires_approval,
        )
        for mode in MODES.values()
    )


def people_by_type(*, actor: Account) -> dict[str, CappedCount]:
    """Count, by user type, the accounts that the actor's file could touch: managed, not deleted, not protected."""
    scope = scope_org(actor=actor)
    of_scope = {"school_system": scope.school_system_id} if scope.kind == Org.Kind.DISTRICT else {"org": scope}
    accounts = Account.objects.filter(**of_scope, custom_id__isnull=False, deleted_at__isnull=True, is_protected=False)
    return {each: count_capped(accounts.filter(user_type=each), MOST_AT_RISK) for each in USER_TYPES}


def added(counts: Iterable[CappedCount]) -> CappedCount:
    """Return the sum of the counts."""
    found = tuple(counts)
    return CappedCount(sum(each.number for each in found), any(each.is_capped for each in found))
