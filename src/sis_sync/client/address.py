"""Where the server is: HTTPS, or HTTP on this same computer, so that the key never travels in the clear."""

import ipaddress
from urllib.parse import SplitResult, urlsplit

API_PATH = "/api/v1"


def server_address(text: str) -> str:
    """The address without a trailing slash or API path. ValueError says what would be right."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError("Write https://host or https://host:port.") from None
    if parts.scheme not in ("https", "http") or not parts.hostname or port == 0 or not _is_plain(text):
        raise ValueError("Write https://host or https://host:port.")
    if parts.username is not None or parts.query or parts.fragment or "?" in text or "#" in text:
        raise ValueError("Leave out user names, ? and #: https://host or https://host/path.")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("Use https://; http:// works for this same computer only (localhost, 127.0.0.1).")
    return _without_api_path(parts)


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and not set(text) & set(' <>"{}|\\^`')


def _without_api_path(parts: SplitResult) -> str:
    path = parts.path.rstrip("/").removesuffix(API_PATH).rstrip("/")
    return f"{parts.scheme}://{parts.netloc}{path}"


def is_loopback(host: str) -> bool:
    """Whether the host can only be this computer."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def proxy_address(text: str) -> str:
    """The proxy as given. ValueError says what would be right."""
    try:
        parts = urlsplit(text)
        is_wrong = parts.port == 0
    except ValueError:
        is_wrong = True
    if is_wrong or parts.scheme not in ("http", "https") or not parts.hostname or not _is_plain(text):
        raise ValueError("Write http://host:port.")
    return text
