"""Limits on signing in and on claiming an account. A try is counted before its password or code is checked.

Many tries at the same time therefore get no more checks than tries in turn. The rules for passwords and addresses also
apply to claim codes and IDs.
By address: ten wrong passwords in 15 minutes close an e-mail address, whether an account has it or not. Tries from the
school's own networks are counted separately, so that no one outside can close an address for the people inside.
By place and in total: only wrong passwords count. They slow further tries down, but close nothing. One place adds to
the total only up to its own limit, and the slowed tries of each place wait separately, so that no place slows others.
"""

import hashlib
import ipaddress
import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings

from sis_sync.core.wording import counted
from sis_sync.server.errors import TooManySignIns
from sis_sync.server.orgs.models import SchoolSystem
from sis_sync.server.text import address_key
from sis_sync.server.windows import Slots, Window, whole_seconds

WINDOW_SECONDS = 15 * 60
SCHOOL_NETWORK_FACTOR = 30
# A slowed try waits SLOW_SECONDS before its password is checked. SLOW_LANES tries of one place may wait at a time;
# others are refused for now. SLOW_THREADS threads of the web process may wait for places over their limit, and as many
# for all other places.
SLOW_SECONDS = 2.0
SLOW_LANES = 2
SLOW_THREADS = 4
UNDECIDED_SECONDS = 5.0
EVERYONE = "all"
IPV6_PREFIX = 64  # one household or school has a network of this size, so its addresses are one place

_by_address = Window(seconds=WINDOW_SECONDS)
_by_place = Window(seconds=WINDOW_SECONDS)
_in_all = Window(seconds=WINDOW_SECONDS)
_undecided = Slots()  # the tries of each address that are looked at now
_slow_lanes = Slots()
pause: Callable[[float], None] = time.sleep


class Proof(StrEnum):
    """The kind of secret that a person enters. Each kind has its own count of wrong tries for an address."""

    PASSWORD = "password"  # noqa: S105 - a word of messages
    CLAIM_CODE = "code"


class Slowed(StrEnum):
    """Why a try is slowed: by wrong passwords from its own place, or from many places."""

    BY_PLACE = "by place"
    IN_ALL = "in all"


@dataclass
class Try:
    """One try to sign in or to claim an account. It counts as wrong unless `is_right` is set."""

    is_right: bool = False


@contextmanager
def counted_try(*, school_system: SchoolSystem, email: str, place: str, proof: Proof = Proof.PASSWORD) -> Iterator[Try]:
    """Count a try from the network address `place`. The block checks the password and sets `is_right`.

    For a claim code, `email` is what was entered as the ID. Raise TooManySignIns if the e-mail address is closed, or if
    too many slowed tries wait already. If the block raises an error, the password was not checked and nothing counts.
    """
    is_inside = is_in_networks(place, school_system.networks)
    address, network = _address_key(school_system.pk, email, proof, is_inside=is_inside), network_of(place)
    if wait := _by_address.take(address, most=settings.SIS_SYNC_WRONG_PASSWORDS_OF_AN_ADDRESS):
        raise closed_for(wait if not _undecided.taken(address) else UNDECIDED_SECONDS, proof)
    decide = _undecided.take(address, most=sys.maxsize)
    attempt = Try()
    slowed = slowed_down(network, is_inside=is_inside)
    counts_in_all = not _by_place.take(network, most=settings.SIS_SYNC_WRONG_PASSWORDS_OF_A_PLACE)
    if counts_in_all:
        _in_all.add(EVERYONE)
    else:
        _by_place.add(network)
    is_looked_at = False
    try:
        if slowed:
            _slow_down(network, slowed)
        yield attempt
        is_looked_at = True
    finally:
        if attempt.is_right or not is_looked_at:
            _by_place.give_back(network)
            if counts_in_all:
                _in_all.give_back(EVERYONE)
            _by_address.give_back(address)
        if attempt.is_right:
            _by_address.forget(address)
        if decide is not None:
            decide()


def end_lock_out(*, school_system_id: int, email: str, proof: Proof = Proof.PASSWORD) -> None:
    """Open the address again after a manager has set a new password or made a new code."""
    for is_inside in (True, False):
        _by_address.forget(_address_key(school_system_id, email, proof, is_inside=is_inside))


def forget_all_tries() -> None:
    """Set all counts to 0."""
    for window in (_by_address, _by_place, _in_all):
        window.clear()


def closed_for(wait: float, proof: Proof) -> TooManySignIns:
    """Return the error for a closed address. Tries that are being checked count as wrong, but only for a moment."""
    minutes = math.ceil(wait / 60)
    is_claim = proof is Proof.CLAIM_CODE
    closed = "Claiming an account with this ID" if is_claim else "Signing in with this address"
    return TooManySignIns(
        f"Too many wrong {proof}s. {closed} is closed for {counted(minutes, 'more minute', 'more minutes')}."
        if wait > UNDECIDED_SECONDS
        else f"Too many tries with this {'ID' if is_claim else 'address'} are being checked at this moment.",
        fix="Wait, or ask your school for a new code." if is_claim else "Wait, or ask a manager to set a new password.",
        retry_after_seconds=whole_seconds(wait),
    )


def is_in_networks(place: str, networks: list[str]) -> bool:
    """Return True if the network address is in one of the networks."""
    with suppress(ValueError):
        address = ipaddress.ip_address(place)
        return any(address in ipaddress.ip_network(network) for network in networks)
    return False


def slowed_down(network: str, *, is_inside: bool) -> Slowed | None:
    """Return why a try is slowed: too many wrong passwords came from the network, or, outside the schools, in all."""
    most = settings.SIS_SYNC_WRONG_PASSWORDS_OF_A_PLACE * (SCHOOL_NETWORK_FACTOR if is_inside else 1)
    if _by_place.total(network) >= most:
        return Slowed.BY_PLACE
    if not is_inside and _in_all.total(EVERYONE) >= settings.SIS_SYNC_WRONG_PASSWORDS_IN_ALL:
        return Slowed.IN_ALL
    return None


def _slow_down(network: str, slowed: Slowed) -> None:
    with ExitStack() as held:
        for name, most in ((network, SLOW_LANES), (slowed, SLOW_THREADS)):
            free = _slow_lanes.take(name, most=most)
            if free is None:
                raise _too_slow(slowed)
            held.callback(free)
        pause(SLOW_SECONDS)


def _too_slow(slowed: Slowed) -> TooManySignIns:
    seconds = whole_seconds(SLOW_SECONDS)
    return TooManySignIns(
        "Too many wrong passwords came from your network. Signing in from it is slow for a while."
        if slowed == Slowed.BY_PLACE
        else "Wrong passwords come from many networks. Signing in from outside the schools is slow for a while.",
        fix=f"Try again in {seconds} seconds. A manager of the district can name the networks of the schools.",
        retry_after_seconds=seconds,
    )


def _address_key(school_system_id: int, email: str, proof: Proof, *, is_inside: bool) -> str:
    """Return a hash, so that the memory of the process lists no addresses."""
    text = f"{school_system_id}\n{address_key(email)}\n{proof}\n{is_inside}"
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def network_of(place: str) -> str:
    """Return the place to which a network address belongs: an IPv4 address by itself, or its IPv6 network."""
    with suppress(ValueError):
        address = ipaddress.ip_address(place)
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is None:
            return str(ipaddress.ip_network((address, IPV6_PREFIX), strict=False))
    return place
