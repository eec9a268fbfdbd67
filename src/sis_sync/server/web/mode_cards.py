"""The mode cards: the last runs of each mode (Home), and how many people it could touch (the upload form)."""

from dataclasses import dataclass

from django.db.models import Count

from sis_sync.core.modes import MODES, Mode
from sis_sync.core.wording import counted
from sis_sync.server.accounts.models import Account
from sis_sync.server.orgs.models import Org
from sis_sync.server.orgs.selectors import managed_orgs, scope_org
from sis_sync.server.runs.models import ModeSettings, Run
from sis_sync.server.runs.selectors import runs_of
from sis_sync.server.web.words import MODE_PEOPLE


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
    people_at_risk: int
    on_absent: str
    requires_approval: bool

    @property
    def sentence(self) -> str:
        """Return a sentence on what happens to the people of this mode, with their number."""
        if not self.mode.judges_absence:
            return self.mode.consequence
        people = counted(self.people_at_risk, *MODE_PEOPLE[self.mode.name])
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
            people_at_risk=sum(numbers.get(user_type, 0) for user_type in mode.user_types),
            on_absent=settings[mode.name].on_absent,
            requires_approval=settings[mode.name].requires_approval,
        )
        for mode in MODES.values()
    )


def people_by_type(*, actor: Account) -> dict[str, int]:
    """Count, by user type, the accounts that the actor's file could touch: managed, not deleted, not protected."""
    scope = scope_org(actor=actor)
    orgs = managed_orgs(actor=actor) if scope.kind == Org.Kind.DISTRICT else [scope]
    accounts = Account.objects.filter(
        org__in=orgs, custom_id__isnull=False, deleted_at__isnull=True, is_protected=False
    )
    return dict(accounts.order_by().values_list("user_type").annotate(Count("id")))
