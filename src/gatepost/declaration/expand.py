"""A service as written becomes a service in full: shorthand is expanded from the port catalogue."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from gatepost import catalogue
from gatepost.catalogue import Port
from gatepost.declaration.paper import Paper
from gatepost.declaration.positions import Path
from gatepost.declaration.services import SPOKEN, catalogued, needs_end, role_of, tcp
from gatepost.declaration.shapes import ServiceShape
from gatepost.declaration.wording import clipped, did_you_mean, shown
from gatepost.declaration.zones import zone_names
from gatepost.model.architecture import Service

MAX_YEARS = 10  # a date further off is no end date


def read_services(page: Paper, raw: list[object], path: Path, today: date) -> tuple[Service, ...]:
    found: list[Service] = []
    for n, one in enumerate(raw):
        service = _service(page, one, (*path, n), today)
        if service is None:
            continue
        if twin := next((s for s in found if s.port == service.port), None):
            page.problem((*path, n), f"port {service.port} is declared twice, see {clipped(twin.name)}{_on(twin)}")
            continue
        found.append(service)
    return tuple(found)


def _on(twin: Service) -> str:
    return f" on line {twin.line}" if twin.line else ""


def _service(page: Paper, raw: object, path: Path, today: date) -> Service | None:
    if not isinstance(raw, str | dict):
        page.problem(path, f'expected a service like "submissions", got {shown(raw)}{_numbered(raw)}')
        return None
    _known_zones(page, raw, path)
    shape = page.shape(ServiceShape, raw, path)
    service = _expanded(page, shape, path) if shape else None
    if service is None:
        return None
    _dated(page, service, path, today)
    return replace(service, line=page.line(path))


def _numbered(raw: object) -> str:
    """Who writes a port number means the service that usually lives there."""
    row = catalogue.port_numbered(raw) if isinstance(raw, int) and not isinstance(raw, bool) else None
    return f'; did you mean "{row.id}"?' if row else ""


def _known_zones(page: Paper, raw: object, path: Path) -> None:
    """Looked at as written, so that another mistake in the same service hides nothing."""
    written = raw.get("from") if isinstance(raw, dict) else None
    zones = zone_names(page)
    for n, name in enumerate(written if isinstance(written, list) else ()):
        if isinstance(name, str) and name not in zones:
            near = did_you_mean(name, sorted(zones))
            page.problem((*path, "from", n), f"no zone named {shown(name)} under [zones]{near}")


def _expanded(page: Paper, shape: ServiceShape, path: Path) -> Service | None:
    row = catalogue.port(shape.name)
    base = _from_catalogue(page, row, path) if row else _from_scratch(page, shape, path)
    if base is None:
        return None
    return replace(
        base,
        port=shape.port or base.port,
        protocol=shape.protocol or base.protocol,
        role=shape.role or base.role,
        mode=shape.mode or base.mode,
        exposure=shape.exposure or base.exposure,
        sources=tuple(shape.sources),
        owner=shape.owner,
        reason=shape.reason,
        until=shape.until,
    )


def _from_catalogue(page: Paper, row: Port, path: Path) -> Service | None:
    if tcp(row):
        return catalogued(row)
    page.problem(path, f"{row.id} runs over {row.transport.upper()}; only TCP services are declared")
    return None


def _from_scratch(page: Paper, shape: ServiceShape, path: Path) -> Service | None:
    """A name of the operator's own stands on its own feet."""
    missing = [key for key in ("port", "protocol", "mode") if getattr(shape, key) is None]
    if shape.port is None or shape.protocol is None or shape.mode is None:
        near = did_you_mean(shape.name, sorted(row.id for row in catalogue.ports() if tcp(row)))
        page.problem(
            path,
            f"{shown(shape.name)} is not in the port catalogue and has no {_listed(missing)}{near}",
        )
        return None
    if shape.protocol not in _protocols():
        near = did_you_mean(shape.protocol, sorted(_protocols()))
        page.problem((*path, "protocol"), f"no protocol named {shown(shape.protocol)}{near}")
        return None
    return Service(shape.name, shape.port, shape.protocol, role_of(shape.protocol), shape.mode)


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _protocols() -> frozenset[str]:
    return SPOKEN | {row.protocol for row in catalogue.ports()}


def _dated(page: Paper, service: Service, path: Path, today: date) -> None:
    """Clear text and legacy need someone who answers for it, a reason and an end."""
    missing = [key for key in ("owner", "reason", "until") if getattr(service, key) is None]
    why = needs_end(service)
    if why and missing:
        page.problem(path, f"{clipped(service.name)} needs {_listed(missing)}: {why}")
    far_off(page, service.until, (*path, "until"), today)


def far_off(page: Paper, day: date | None, path: Path, today: date) -> None:
    if day is not None and day.year - today.year > MAX_YEARS:
        page.problem(path, f"{day} is more than {MAX_YEARS} years away and ends nothing")
