"""What a Postfix instance is configured with: services, settings and overrides, with their places.

`postconf` decides what a value is. Where it refuses (one bad line in master.cf silences it altogether), the files are
read as they stand: better values without expansion than none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gatepost.model.architecture import Endpoint
from gatepost.model.bundle import Bundle, Ran
from gatepost.model.host import HostFact, ListenerConfigured, Place, ServerSeen, SettingSeen
from gatepost.model.observation import Unobserved
from gatepost.model.words import Reason
from gatepost.servers import catalogued, services
from gatepost.servers.complaints import complaints
from gatepost.servers.instances import Instance, main_cf, master_cf
from gatepost.servers.postfix_files import MasterRow, Written, pairs
from gatepost.servers.postfix_files import main_cf as read_main_cf
from gatepost.servers.postfix_files import master_cf as read_master_cf
from gatepost.servers.secrets import masked

ALL: tuple[str, ...] = ()
EXPANDED = ("-x",)
WRITTEN = ("-n",)
SERVICES = ("-M",)
OVERRIDES = ("-P",)
OVERRIDES_EXPANDED = ("-x", "-P")
DEFAULTS = ("-x", "-d")
ASKED = (ALL, EXPANDED, WRITTEN, SERVICES, OVERRIDES, OVERRIDES_EXPANDED, DEFAULTS)
EVERYWHERE = {"loopback-only": ("127.0.0.1", "::1"), "all": ("0.0.0.0", "::")}


def command(directory: str, options: tuple[str, ...]) -> tuple[str, ...]:
    return ("postconf", "-c", directory, *options)


def check(directory: str) -> tuple[str, ...]:
    """It makes queue directories that are missing, so it is only asked of an instance that runs and has them."""
    return ("postfix", "-c", directory, "check")


@dataclass(frozen=True, slots=True)
class _Read:
    values: dict[str, str]  # expanded, every name
    raw: dict[str, str]
    written: dict[str, str]
    places: dict[str, Written]
    rows: tuple[MasterRow, ...]
    lines: dict[str, int]  # of master.cf, where an override stands: submission/inet/smtpd_tls_security_level
    overrides: dict[str, str]
    expanded_overrides: dict[str, str]


def facts(bundle: Bundle, instance: Instance, at: Endpoint) -> Iterator[HostFact | Unobserved]:
    read = _read(bundle, instance.config)
    ran = [bundle.command(*command(instance.config, options)) for options in ASKED]
    yield from complaints(at, instance, [bundle.command(*check(instance.config)), *ran])
    if not read.values and not read.written:
        yield Unobserved(at, "postfix settings", Reason.REFUSED, _why(instance.config, ran))
    yield _server(bundle, instance, at, read)
    yield from _settings(instance, at, read)
    yield from _overridden(instance, at, read)
    yield from _listeners(bundle, instance, at, read)


def values(bundle: Bundle, directory: str) -> Iterator[tuple[str, str, Place | None]]:
    """Names and expanded values, of main.cf and of each service: for finding the files that they name."""
    read = _read(bundle, directory)
    for name, value in read.values.items():
        yield name, value, _main_place(directory, read, name)
    for key, value in read.expanded_overrides.items():
        yield key.rpartition("/")[2], value, _override_place(directory, read, key)


def _read(bundle: Bundle, directory: str) -> _Read:
    def told(options: tuple[str, ...]) -> dict[str, str]:
        ran = bundle.command(*command(directory, options))
        return pairs(ran.stdout) if ran and ran.ok else {}

    places = read_main_cf(_text(bundle, main_cf(directory)))
    rows = read_master_cf(_text(bundle, master_cf(directory)))
    as_written = {name: one.value for name, one in places.items()}
    listed = tuple(_listed(bundle, directory) or rows)
    raw = told(ALL) or told(DEFAULTS) | as_written
    overrides = told(OVERRIDES) or {f"{row.key}/{o.name}": o.value for row in rows for o in row.options}
    return _Read(
        values=told(EXPANDED) or raw,
        raw=raw,
        written=told(WRITTEN) or as_written,
        places=places,
        rows=listed,
        lines={f"{row.key}/{o.name}": o.line for row in listed if row.line for o in row.options},
        overrides=overrides,
        expanded_overrides=told(OVERRIDES_EXPANDED) or overrides,
    )


def _listed(bundle: Bundle, directory: str) -> list[MasterRow]:
    """The services by postconf, with the lines where the file has them."""
    ran = bundle.command(*command(directory, SERVICES))
    placed = {row.key: row for row in read_master_cf(_text(bundle, master_cf(directory)))}
    listed = read_master_cf(ran.stdout) if ran and ran.ok else []
    return [placed.get(row.key) or MasterRow(row.service, row.type, row.command, row.options, 0) for row in listed]


def _text(bundle: Bundle, path: str) -> str:
    taken = bundle.file(path)
    return (taken.text if taken else None) or ""


def _why(directory: str, ran: list[Ran | None]) -> str:
    told = next((one.why or one.stderr.strip() for one in ran if one and (one.why or one.stderr.strip())), "")
    return f"{directory}: {told.splitlines()[0][:200] if told else 'neither postconf nor main.cf could be read'}"


def _server(bundle: Bundle, instance: Instance, at: Endpoint, read: _Read) -> ServerSeen:
    paths = (main_cf(instance.config), master_cf(instance.config))
    taken = [file for path in paths if (file := bundle.file(path)) and file.exists]
    master = instance.master
    return ServerSeen(
        at,
        "postfix",
        read.values.get("mail_version", ""),
        instance.config,
        running=master is not None,
        pid=master.pid if master else 0,
        started=master.started if master else None,
        configured=max((file.modified for file in taken if file.modified), default=None),
        files=tuple(file.path for file in taken),
    )


def _settings(instance: Instance, at: Endpoint, read: _Read) -> Iterator[SettingSeen]:
    for name, raw in read.written.items():
        if name == "config_directory" and name not in read.places:
            continue  # postconf tells where it was sent
        value = masked(name, read.values.get(name, raw))
        written = masked(name, raw)
        place = _main_place(instance.config, read, name)
        yield SettingSeen(
            at, "postfix", instance.config, "", name, value, written if written != value else "", place=place
        )
    for name in sorted(catalogued.names("postfix") - read.written.keys()):
        if name in read.values:
            value, raw = read.values[name], read.raw.get(name, "")
            yield SettingSeen(
                at, "postfix", instance.config, "", name, value, raw if raw != value else "", default=True
            )


def _main_place(directory: str, read: _Read, name: str) -> Place | None:
    return Place(main_cf(directory), read.places[name].line) if name in read.places else None


def _overridden(instance: Instance, at: Endpoint, read: _Read) -> Iterator[SettingSeen]:
    for key, raw in read.overrides.items():
        service, _, name = key.rpartition("/")
        value, written = masked(name, read.expanded_overrides.get(key, raw)), masked(name, raw)
        yield SettingSeen(
            at,
            "postfix",
            instance.config,
            service,
            name,
            value,
            written if written != value else "",
            place=_override_place(instance.config, read, key),
        )


def _override_place(directory: str, read: _Read, key: str) -> Place | None:
    """Of one name given twice, Postfix takes the last."""
    return Place(master_cf(directory), read.lines[key]) if key in read.lines else None


def _listeners(
    bundle: Bundle, instance: Instance, at: Endpoint, read: _Read
) -> Iterator[ListenerConfigured | Unobserved]:
    for row in read.rows:
        if row.type != "inet":
            continue
        address, _, name = row.service.rpartition(":")
        port = services.port(bundle, name)
        wrapped = read.expanded_overrides.get(f"{row.key}/smtpd_tls_wrappermode") or read.values.get(
            "smtpd_tls_wrappermode", ""
        )
        if not port:
            where = f"{master_cf(instance.config)}:{row.line}"
            yield Unobserved(at, f"port of {row.key}", Reason.UNRESOLVED, f"{where}: no port is named {name[:60]!r}")
            continue
        yield ListenerConfigured(
            at,
            "postfix",
            instance.config,
            row.key,
            port,
            (address.strip("[]"),) if address else _interfaces(read.values),
            row.command,
            tls=row.command == "smtpd" and wrapped.lower() == "yes",
            place=Place(master_cf(instance.config), row.line) if row.line else None,
        )


def _interfaces(values: dict[str, str]) -> tuple[str, ...]:
    """inet_interfaces within inet_protocols. Empty: all addresses of both families."""
    words = values.get("inet_interfaces", "").replace(",", " ").split()
    found = [address for word in words or ["all"] for address in EVERYWHERE.get(word.lower(), (word.strip("[]"),))]
    families = values.get("inet_protocols", "all").replace(",", " ").lower().split()
    if "all" not in families and "ipv6" not in families:
        found = [address for address in found if ":" not in address]
    if "all" not in families and "ipv4" not in families:
        found = [address for address in found if "." not in address]
    return () if {"0.0.0.0", "::"} <= set(found) else tuple(dict.fromkeys(found))
