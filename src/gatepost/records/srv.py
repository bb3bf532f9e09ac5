"""SRV records of mail services (RFC 6186, RFC 8314 section 5.1): which port clients are told to use."""

from __future__ import annotations

from collections.abc import Iterable

from gatepost import catalogue
from gatepost.model.architecture import Endpoint
from gatepost.model.observation import Advertised
from gatepost.model.words import Mode

Row = tuple[int, int, int, str]  # priority, weight, port, target


def labels() -> dict[str, str]:
    """`_imaps._tcp` to the catalogue's `imaps`, for every service that has a record of its own."""
    return {row.srv: row.id for row in catalogue.ports() if row.srv and "," not in row.srv}


def services(domain: str, service: str, rows: Iterable[Row]) -> tuple[Advertised, ...]:
    """Best first. A target of `.` says that the service is not offered (RFC 2782): it is left out."""
    mode = Mode(catalogue.row(service).mode)
    return tuple(
        Advertised(Endpoint(domain), "srv", service, target.rstrip(".").lower(), port, mode, priority)
        for priority, _, port, target in sorted(rows, key=lambda r: (r[0], -r[1], r[3]))
        if target.rstrip(".") and port
    )
