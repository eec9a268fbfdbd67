"""Template tags and filters with which all pages show numbers, times, icons, badges and words."""

import re
from dataclasses import replace
from datetime import datetime
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.timesince import timesince

from sis_sync.core import wording
from sis_sync.core.limits import PLAN_EXPIRES_AFTER
from sis_sync.core.modes import TAKING_BACK
from sis_sync.core.plan import ABSENT_ACTIONS, CHANGING_ACTIONS, ROW_ACTIONS
from sis_sync.server.accounts.models import Account
from sis_sync.server.accounts.selectors import DELETED
from sis_sync.server.runs.models import Run
from sis_sync.server.runs.selectors import PlanRow
from sis_sync.server.runs.sums import Slice
from sis_sync.server.web import words
from sis_sync.server.web.words import Badge

register = template.Library()
SECONDS_JUST_NOW = 60
SELDOM_ACTIONS = ("disable", "restore", "ignored")


@register.filter
def number(value: int) -> str:
    """Return the number with thousands separators: 8,586."""
    return f"{value:,}"


@register.simple_tag
def counted(value: int, one: str, many: str) -> str:
    """Return the number with its noun: 1 person, 8,586 people."""
    return wording.counted(value, one, many)


@register.simple_tag
def icon(name: str, extra: str = "") -> SafeString:
    """Return an icon. Screen readers skip it, because the word next to it has the same meaning."""
    return format_html(
        '<svg class="icon {}" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        extra,
        static("web/icons.svg"),
        name,
    )


@register.filter
def when(value: datetime | None) -> str | SafeString:
    """Return how long ago it was, and the exact time in the school system's time zone."""
    if value is None:
        return ""
    exact = exact_time(value)
    return format_html('<time datetime="{}">{}<br>{}</time>', value.isoformat(), relative_time(value), exact)


@register.filter
def at(value: datetime | None) -> str | SafeString:
    """Return the exact time in the school system's time zone."""
    if value is None:
        return ""
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), exact_time(value))


@register.filter
def day(value: datetime | None) -> str | SafeString:
    """Return the day in the school system's time zone."""
    if value is None:
        return ""
    return format_html(
        '<time datetime="{}">{}</time>', value.isoformat(), date_format(timezone.localtime(value), "M j")
    )


@register.filter
def unlocalized(value: float) -> str:
    """Return the number as SVG reads it."""
    return f"{value:g}"


def relative_time(value: datetime) -> str:
    """Return just now, 5 minutes ago, or in 6 days."""
    now = timezone.now()
    if abs((now - value).total_seconds()) < SECONDS_JUST_NOW:
        return "just now"
    return f"{timesince(value, now, depth=1)} ago" if value < now else f"in {timesince(now, value, depth=1)}"


def exact_time(value: datetime) -> str:
    """Return the time as Nov 23, 2026, 2:10 PM EST."""
    return date_format(timezone.localtime(value), "M j, Y, g:i A T")


def badge(shown: Badge) -> SafeString:
    """Return icon, word and colour together."""
    tone = f"status-{shown.tone}" if shown.tone else ""
    picture = icon(shown.icon, "spin" if shown.icon == "busy" else "")
    return format_html('<span class="status {}">{}{}</span>', tone, picture, shown.word)


@register.simple_tag
def state_badge(run: Run) -> SafeString:
    """Return the badge of the run's state."""
    return badge(words.state_words(run).badge)


@register.simple_tag
def action_badge(action: str, is_done: bool = False) -> SafeString:
    """Return the badge of what happens, or happened, to a row or account."""
    if action not in words.ACTIONS:
        return badge(Badge("dot", words.field_word(action)))
    return badge(replace(words.ACTIONS[action].badge, word=words.action_word(action, is_done=is_done)))


@register.simple_tag
def status_badge(account: Account) -> SafeString:
    """Return the badge Active, Disabled or Deleted."""
    return badge(words.STATUS_BADGES[DELETED if account.deleted_at else account.status])


@register.filter
def scope_word(scope: str) -> str:
    """Return the scope of an API key in words: own results."""
    return scope.replace("_", " ")


@register.filter
def mode_word(mode: str) -> str:
    """Return the name of a mode."""
    return words.MODE_WORDS.get(mode, mode)


@register.filter
def state_meaning(run: Run) -> str:
    """Return what the state means for the people in the file."""
    return words.state_words(run).meaning


@register.filter
def field_word(name: str) -> str:
    """Return the label of a field."""
    return words.field_word(name)


@register.filter
def shown_value(value: Any) -> str:
    """Return a stored value for a table, with words for empty, true and false."""
    if value in (None, ""):
        return "(empty)"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


@register.filter
def file_size(value: int) -> str:
    """Return the size with a unit: 812 bytes, 14.2 kB, 1.3 MB."""
    if value < 1000:
        return wording.counted(value, "byte", "bytes")
    if value < 1_000_000:
        return f"{value / 1000:.1f} kB"
    return f"{value / 1_000_000:.1f} MB"


@register.filter
def expires_at(run: Run) -> datetime | None:
    """Return the time after which a waiting plan can no longer be approved."""
    return run.first_planned_at + PLAN_EXPIRES_AFTER if run.first_planned_at else None


@register.filter
def count_cells(run: Run) -> list[tuple[str, str, int]]:
    """Return name, word and number of each count of a run, people who leave first."""
    is_done = run.state == Run.State.APPLIED
    cells = [
        (action, words.action_word(action, is_done=is_done), run.counts.get(action, 0))
        for action in (*ABSENT_ACTIONS, *ROW_ACTIONS)
        if is_shown(run, action)
    ]
    return [*cells, ("rows", "Rows in file", run.counts.get("rows", 0))]


@register.filter
def count_words(run: Run) -> list[str]:
    """Return the counts that are not 0, people who leave first: 40 to create, or 40 created once it is applied."""
    is_done = run.state == Run.State.APPLIED
    parts = [
        f"{run.counts[action]:,} {words.action_word(action, is_done=True).lower() if is_done else f'to {action}'}"
        for action in (*ABSENT_ACTIONS, *CHANGING_ACTIONS)
        if run.counts.get(action)
    ]
    failed = [f"{run.counts['failed']:,} failed"] if run.counts.get("failed") else []
    return [*parts, *failed] or ["no changes"]


def is_shown(run: Run, action: str) -> bool:
    """Return True if the count of the action is shown. Rare actions are hidden if the run cannot have them."""
    return bool(run.counts.get(action)) or action not in SELDOM_ACTIONS


@register.filter
def slice_words(sums: Slice | None) -> str:
    """Return the numbers of people of a school for each effect of a run, without zeros."""
    if sums is None:
        return "see the run"
    numbers = {
        "leave": sums.leave,
        "new": sums.new,
        "back": sums.back,
        "changed": sums.change,
        "from other schools": sums.arrive,
    }
    return ", ".join(f"{number:,} {word}" for word, number in numbers.items() if number) or "no one"


@register.filter
def done_word(action: str) -> str:
    """Return Deleted."""
    return words.action_word(action, is_done=True)


@register.filter
def to_do_word(action: str) -> str:
    """Return Delete."""
    return words.action_word(action, is_done=False)


@register.filter
def finding_word(code: str) -> str:
    """Return the title of a finding code."""
    return words.finding_word(code)


@register.simple_tag
def finding_badge(code: str) -> SafeString:
    """Return a badge that tells whether rows with this finding fail or it is only a remark."""
    return badge(Badge("warn", "Row fails", "bad") if words.is_error(code) else Badge("dot", "Remark"))


@register.filter
def one_line(row: PlanRow) -> SafeString:
    """Return the values of someone who leaves or is new in one line, without name and ID, which have columns.

    Each in an element of its own, so that letters written from right to left do not turn the others around.
    """
    values = {name: old or new for name, old, new in row.changes}
    grade = f"grade {values['grade']}" if values.get("grade") else ""
    org = values.get("school_district_external_id", "")
    shown = (
        values.get("user_type", ""),
        grade or values.get("position", ""),
        f"at {org}" if org else "",
        values.get("email", ""),
        values.get("status", ""),
    )
    return format_html_join(", ", "<bdi>{}</bdi>", ((part,) for part in shown if part))


@register.filter
def breakable(address: str) -> SafeString:
    """Return an e-mail address that may break after @ and dots, and not within a word."""
    parts = re.split(r"(?<=[@.])", address)
    return format_html_join(mark_safe("<wbr>"), "{}", ((part,) for part in parts if part))


@register.filter
def list_word(action: str) -> str:
    """Return the name of a list of people on the page of a plan."""
    return words.LISTS[action][0]


@register.filter
def list_note(action: str, mode: str) -> str:
    """Return what the list is about, or how it is sorted."""
    usual = words.LISTS[action][1]
    return words.LISTS_OF_UNDO.get(action, usual) if mode in TAKING_BACK else usual


@register.filter
def seconds_until(moment: datetime) -> int:
    """Return the whole seconds from now until the moment."""
    return int((moment - timezone.now()).total_seconds())


@register.filter
def audit_word(action: str) -> str:
    """Return an action of the audit log in words: run.approved is Run approved."""
    return words.AUDIT_WORDS.get(action) or action.replace(".", " ").replace("_", " ").capitalize()


def detail_number(value: Any) -> str:
    """Return a whole number with thousands separators, anything else as in a table."""
    return f"{value:,}" if type(value) is int else shown_value(value)


@register.filter
def detail_value(value: Any, name: str) -> str:
    """Return the detail of an audit entry that has this name, in words. Counts of 0 are skipped."""
    if isinstance(value, dict):
        shown = {key: each for key, each in value.items() if name != "counts" or each}
        return ", ".join(f"{words.field_word(key)} {detail_number(each)}" for key, each in shown.items())
    if isinstance(value, list):
        return ", ".join(detail_word(each, name) for each in value)
    return detail_word(value, name)


def detail_word(value: Any, name: str) -> str:
    """Return one value of a detail in the words of the pages."""
    if name in ("mode", "modes"):
        return words.MODE_WORDS.get(str(value), str(value))
    if name == "scopes":
        return scope_word(str(value))
    return file_size(value) if name == "bytes" and type(value) is int else shown_value(value)
