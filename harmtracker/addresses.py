"""Where a request comes from, and on which side of the API it asks."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest

API = "/api/"
CASEWORK = "/api/v1/casework/"

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_public(path: str) -> bool:
    """Whether anyone may read what is there: below /api/, and no casework."""
    return path.startswith(API) and not path.startswith(CASEWORK)


def client_address(request: HttpRequest) -> Address | None:
    """The address that a request comes from; None where it is not one of IP.

    X-Forwarded-For counts from its end, for as many proxies as there are of ours: what stands
    before is the client's own invention.
    """
    address = request.META.get("REMOTE_ADDR", "")
    proxies = settings.HARMTRACKER_PROXIES
    if proxies > 0:
        forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        if len(forwarded) >= proxies:
            address = forwarded[-proxies].strip()
    try:
        host = ipaddress.ip_address(address.strip("[]").split("%")[0])
    except ValueError:
        return None
    if isinstance(host, ipaddress.IPv6Address) and host.ipv4_mapped is not None:
        return host.ipv4_mapped
    return host


def network(address: Address | None, *, bits_of_ipv4: int) -> str:
    """The network of an address: of IPv6 always the /64, which one subscriber holds whole."""
    if address is None:
        return "unknown"
    bits = bits_of_ipv4 if address.version == 4 else 64
    return str(ipaddress.ip_network((address, bits), strict=False))
