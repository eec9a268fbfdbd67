"""Forms that must not act twice: each carries a sign, and the session remembers the signs that were taken."""

import secrets

from django.http import HttpRequest

SENT = "forms_sent"
MOST_REMEMBERED = 20


def new_sign() -> str:
    """For the hidden field `sign` of a form that is shown."""
    return secrets.token_hex(8)


def was_sent(request: HttpRequest) -> bool:
    """Whether this very form was taken before."""
    return request.POST.get("sign", "") in request.session.get(SENT, [])


def note_sent(request: HttpRequest) -> None:
    """Remember that this form was taken."""
    sign = request.POST.get("sign", "")[:16]
    if sign:
        request.session[SENT] = [*request.session.get(SENT, []), sign][-MOST_REMEMBERED:]
