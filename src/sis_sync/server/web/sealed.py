"""Texts that may name people, sealed for the browser that brings them back: searches, and messages for the next page.

They are encrypted with a key that is derived from the server's secret key. Nothing of them is stored on the server.
"""

import base64
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from django.contrib.messages.storage.cookie import CookieStorage
from django.core.signing import BadSignature
from django.utils.crypto import salted_hmac

from sis_sync.server.accounts.models import Account

MOST_COOKIE_BYTES = 3500  # browsers keep 4,096 with the cookie's name and attributes


def seal(text: str, *, purpose: str) -> str:
    """Return the text as letters, digits, `-`, `_` and `=` that only this server can read."""
    return _sealer(purpose).encrypt(text.encode("utf-8", "replace")).decode("ascii")


def unseal(sealed: str, *, purpose: str) -> str | None:
    """Return the text, or None if this server did not seal it for this purpose."""
    try:
        return _sealer(purpose).decrypt(sealed.encode("utf-8", "replace")).decode("utf-8")
    except InvalidToken:
        return None


def sealed_search(text: str, *, reader: Account) -> str:
    """Return the text of a search for an address, or an empty string if there is none."""
    return seal(f"{reader.pk}\n{text}", purpose="search") if text else ""


def search_text(sealed: str, *, reader: Account) -> str:
    """Return the text that the reader searched for. It is empty if someone else did."""
    number, _, text = (unseal(sealed, purpose="search") or "").partition("\n")
    return text if number == str(reader.pk) else ""


class SealedMessages(CookieStorage):
    """Messages for the next page, in a cookie that only this server can read: they name people."""

    max_cookie_size = MOST_COOKIE_BYTES

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.signer = MessageSealer()


class MessageSealer:
    """Seals where Django's signer would sign."""

    def sign_object(self, messages: Any, *, serializer: Any, compress: bool) -> str:
        """Return the sealed messages. They are too short to compress."""
        return seal(serializer().dumps(messages).decode("latin-1"), purpose="messages")

    def unsign_object(self, sealed: str, *, serializer: Any) -> Any:
        """Return the messages. Raise BadSignature if this server did not seal them."""
        text = unseal(sealed, purpose="messages")
        if text is None:
            raise BadSignature
        return serializer().loads(text.encode("latin-1"))


def _sealer(purpose: str) -> Fernet:
    key = salted_hmac(f"sis_sync.sealed.{purpose}", "", algorithm="sha256").digest()
    return Fernet(base64.urlsafe_b64encode(key))
