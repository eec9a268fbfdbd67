"""The first sign-in of people whose account has no password: claim codes and generated passwords, each shown once.

A claim code is short, because a pupil types it from paper. It is safe because wrong tries are counted like wrong
passwords, because it ends after some weeks, and because the database contains only a hash that is keyed with the
server's secret.
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import Case, Exists, OuterRef, QuerySet, When
from django.utils.crypto import salted_hmac

from sis_sync.core.fields import ACTIVE, GRADES
from sis_sync.server.accounts.models import BY_NAME, Account, ClaimCode, FilePassword
from sis_sync.server.accounts.selectors import BATCH, managed_accounts, require_manager_of
from sis_sync.server.accounts.services import password_hash, refuse_deleted, store_password
from sis_sync.server.accounts.sign_in_limits import Proof, counted_try, end_lock_out
from sis_sync.server.audit.services import record, record_changes
from sis_sync.server.errors import ValuesRefused
from sis_sync.server.orgs.models import Org, Right, SchoolSystem
from sis_sync.server.text import tidy

# Without letters and digits that look alike, and without vowels, so that no code is a word.
ALPHABET = "BCDFGHJKMNPQRTVWXYZ2346789"
GROUP_LENGTH = 4
CODE_GROUPS = 2
VALID_DAYS = (7, 30, 90)
USUAL_VALIDITY = timedelta(days=30)
PASSWORD_GROUPS = 3
MOST_CODES = 5_000  # on one list
MOST_SHEETS = 1_000  # on one page, which is shown once and therefore whole
MOST_PASSWORDS = 50  # at once: each takes a third of a second to hash
UNUSABLE = "!"  # how the stored password of an account begins that has none
WRONG_PAIR = (
    "This ID and code do not belong together, or the code was used before or has expired. "
    "Check both on your sheet, or ask your school for a new code."
)


@dataclass(frozen=True)
class Shown:
    """A secret that is shown once, and whose it is."""

    account: Account
    secret: str


def random_text(groups: int) -> str:
    """Return random letters and digits in groups, such as K7QM-X3VT."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(GROUP_LENGTH)) for _ in range(groups))


def people_to_claim(
    *, actor: Account, org: Org, user_type: str = "", grade: str = "", are_all: bool = False, now: datetime
) -> QuerySet[Account]:
    """Return the active people of the org who have no password and get none from a file, sorted by grade and name.

    People with a valid code are included only with `are_all`. People with rights get theirs one by one.
    """
    people = managed_accounts(actor=actor).filter(
        org=org, status=ACTIVE, deleted_at__isnull=True, password__startswith=UNUSABLE
    )
    if user_type:
        people = people.filter(user_type=user_type)
    if grade:
        people = people.filter(grade=grade)
    files = FilePassword.objects.filter(account=OuterRef("pk"), outcome=FilePassword.Outcome.WAITING)
    people = people.exclude(Exists(files)).exclude(Exists(Right.objects.filter(account=OuterRef("pk"))))
    if not are_all:
        people = people.exclude(Exists(ClaimCode.objects.filter(account=OuterRef("pk"), expires_at__gt=now)))
    grades = Case(*(When(grade=name, then=place) for place, name in enumerate(GRADES)), default=-1)
    return people.order_by(grades, *BY_NAME)


def make_claim_codes(
    *, accounts: Sequence[Account], valid_for: timedelta, actor: Account | None, now: datetime
) -> list[Shown]:
    """Make a code for each of these active accounts, instead of one that they have. Return the codes to show them once.

    Raise ValuesRefused if there are too many or if one cannot sign in, and NotPermitted if the actor may not.
    """
    if len(accounts) > MOST_CODES:
        fault = f"These are {len(accounts):,} people; a list has at most {MOST_CODES:,}. Choose a type or a grade."
        raise ValuesRefused({"people": fault})
    if any(not account.is_active for account in accounts):
        raise ValuesRefused({"people": "Someone here is disabled or deleted. Enable or restore them first."})
    require_manager_of(actor=actor, accounts=accounts)
    shown = [Shown(account, random_text(CODE_GROUPS)) for account in accounts]
    expires_at = now + valid_for
    codes = [
        ClaimCode(account=account, code_hash=hash_of(account.school_system_id, code), expires_at=expires_at)
        for account, code in ((each.account, each.secret) for each in shown)
    ]
    with transaction.atomic():
        forget_claim_codes(accounts)
        ClaimCode.objects.bulk_create(codes, batch_size=BATCH)
        record_changes(changes=((account, {}, {}) for account in accounts), action="claim_code", actor=actor, now=now)
        if accounts:
            detail = {"accounts": len(accounts)}
            record(school_system=accounts[0].school_system, action="claim_codes.made", by=actor, detail=detail, now=now)
    for account in accounts:
        for name in (account.custom_id, account.email):
            if name:
                end_lock_out(school_system_id=account.school_system_id, email=name, proof=Proof.CLAIM_CODE)
    return shown


def forget_claim_codes(accounts: Iterable[Account]) -> None:
    """Remove the codes of these accounts."""
    ids = [account.pk for account in accounts]
    for start in range(0, len(ids), BATCH):
        ClaimCode.objects.filter(account__in=ids[start : start + BATCH]).delete()


def claim_account(
    *, school_system: SchoolSystem, name: str, code: str, password: str, place: str, now: datetime
) -> Account:
    """Set the password of the account with this ID, or e-mail address, and this code. The code works no more.

    Raise ValuesRefused with one answer for an unknown ID, a wrong code and one that is over, or if the password is too
    weak: then the code still works. Raise TooManySignIns after too many wrong tries.
    """
    typed = tidy(name)  # counted as it is compared: an ID in other spaces gets no more tries
    with counted_try(school_system=school_system, email=typed, place=place, proof=Proof.CLAIM_CODE) as attempt:
        claimed = _claimed(school_system, typed, code, now)
        attempt.is_right = claimed is not None
    if claimed is None:
        raise ValuesRefused({"code": WRONG_PAIR})
    new_hash = password_hash(claimed, password)  # before the transaction, because hashing takes long
    with transaction.atomic():
        account = Account.objects.select_for_update().get(pk=claimed.pk)
        is_first, _ = ClaimCode.objects.filter(account=account, code_hash=hash_of(school_system.pk, code)).delete()
        if not is_first or not account.is_active:  # someone was faster
            raise ValuesRefused({"code": WRONG_PAIR})
        store_password(account, new_hash, must_change=False, action="claim", actor=account, now=now)
        record(school_system=school_system, action="account.claimed", by=account, now=now)
    return account


def _claimed(school_system: SchoolSystem, typed: str, code: str, now: datetime) -> Account | None:
    """Return the account that has both. The answer takes as long for an ID that exists as for any other."""
    codes = ClaimCode.objects.filter(code_hash=hash_of(school_system.pk, code), expires_at__gt=now)
    for found in codes.filter(account__school_system=school_system).select_related("account"):
        account = found.account
        if account.is_active and (typed == account.custom_id or typed.lower() == account.email.lower()):
            return account
    return None


def hash_of(school_system_id: int, code: str) -> str:
    """Return the hash of a code as it may be typed: spaces, hyphens and case do not matter."""
    letters = "".join(character for character in code.upper() if character.isalnum())
    key = salted_hmac("sis_sync.claim_code", f"{school_system_id}\n{letters}", algorithm="sha256")
    return key.hexdigest()


def generate_passwords(
    *, accounts: Sequence[Account], must_change: bool, actor: Account | None, now: datetime
) -> list[Shown]:
    """Give each of these accounts a new password and end its sessions. Return the passwords to show them once.

    All get one or none. Raise ValuesRefused if there are too many, and NotPermitted if the actor may not.
    """
    if len(accounts) > MOST_PASSWORDS:
        fault = f"These are {len(accounts):,} people. Choose at most {MOST_PASSWORDS}, or make claim codes for them."
        raise ValuesRefused({"people": fault})
    require_manager_of(actor=actor, accounts=accounts)
    shown = [Shown(account, random_text(PASSWORD_GROUPS).lower()) for account in accounts]
    hashes = {each.account.pk: make_password(each.secret) for each in shown}  # outside the transaction: this takes long
    with transaction.atomic():
        locked = Account.objects.select_for_update().filter(pk__in=hashes).order_by("pk")
        for account in locked:
            refuse_deleted(account)
            new_hash = hashes[account.pk]
            store_password(account, new_hash, must_change=must_change, action="password", actor=actor, now=now)
        if accounts:
            detail = {"accounts": len(accounts)}
            system = accounts[0].school_system
            record(school_system=system, action="passwords.generated", by=actor, detail=detail, now=now)
    for account in accounts:
        end_lock_out(school_system_id=account.school_system_id, email=account.email)
    return shown
