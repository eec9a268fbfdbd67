"""The limits of what one upload key can do in a week without a person, and which of them were passed."""

from collections.abc import Callable

from reliability.people import ACTIVE, Person

EVERYONE = """
SELECT a.custom_id, a.first_name, a.middle_name, a.last_name, a.email, o.external_id, a.user_type, a.status,
  CASE WHEN a.deleted_at IS NULL THEN '' ELSE 'yes' END,
  CASE WHEN r.account_id IS NULL THEN '' ELSE a.password END, CASE WHEN r.account_id IS NULL THEN '' ELSE 'yes' END
FROM accounts_account a JOIN orgs_org o ON o.id = a.org_id JOIN orgs_schoolsystem s ON s.id = a.school_system_id
LEFT JOIN orgs_right r ON r.account_id = a.id
WHERE s.slug = '{slug}' AND a.custom_id IS NOT NULL
"""
COLUMNS = (
    *("custom_id", "first_name", "middle_name", "last_name", "email", "org", "user_type", "status"),
    *("is_deleted", "password", "is_manager"),
)
SAME = {
    "address": ("email",),
    "names": ("first_name", "middle_name", "last_name"),
    "org": ("org",),
    "type": ("user_type",),
}


def people_of(ask: Callable[[str], list[tuple[str, ...]]], slug: str) -> dict[str, Person]:
    """Return everyone with an ID in the school system, also the deleted ones."""
    rows = ask(EVERYONE.format(slug=slug))
    return {row[0]: dict(zip(COLUMNS, row, strict=True)) for row in rows}


def passed_limits(before: dict[str, Person], after: dict[str, Person]) -> list[str]:
    """Return a sentence for each limit that the changes between two moments pass."""
    active = [each for each, person in before.items() if _is_active(person)]
    assert len(active) == ACTIVE
    live = [each for each, person in before.items() if not person["is_deleted"]]
    counts = {
        "left": (sum(not _is_active(after[each]) for each in active), _most(15, 4)),
        "arrived or returned": (
            len([e for e, p in after.items() if not p["is_deleted"] and e not in live]),
            _most(25, 49),
        ),
        "were enabled": (sum(_is_active(after[each]) for each in live if each not in active), _most(5, 4)),
    }
    for subject, names in SAME.items():
        differ = sum(any(after[each][name] != before[each][name] for name in names) for each in live)
        counts[f"changed {subject}"] = (differ, _most(5, 19))
    managers = [each for each in live if before[each]["is_manager"]]
    counts["managers changed"] = (sum(after[each] != before[each] for each in managers), 0)
    return [f"{found} {what}, at most {most} may" for what, (found, most) in counts.items() if found > most]


def _is_active(person: Person) -> bool:
    return person["status"] == "Active" and not person["is_deleted"]


def _most(percent: int, least: int) -> int:
    return max(ACTIVE * percent // 100, least)
