"""The check for loopback addresses: only these may be used without HTTPS."""

import ipaddress


def is_loopback(host: str) -> bool:
    """Return True if the host is localhost or a loopback IP address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
