"""What Exim is configured with: main options by `exim -bP`, their places by the file. ACLs are programs: not read."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gatepost.model.architecture import Endpoint
from gatepost.model.bundle import Bundle
from gatepost.model.host import HostFact, ListenerConfigured, Place, ServerSeen, SettingSeen
from gatepost.model.observation import Unobserved
from gatepost.model.words import Reason
from gatepost.servers import catalogued, services
from gatepost.servers.complaints import complaints
from gatepost.servers.instances import EXIM_VERSION, Instance
from gatepost.servers.secrets import HIDDEN, masked

UNSHOWN = "<value not displayable>"  # what Exim answers to users without rights
MOST_LINES = 20000
WORDS = {"true": "yes", "false": "no"}

_VERSION = re.compile(r"^Exim version (\S+)", re.MULTILINE)
_OPTION = re.compile(r"^(?:hide\s+)?([a-z]\w*)\s*(?:=\s*(.*))?$")
_SWITCH = re.compile(r"^(no_|not_)?([a-z]\w*)$")


def command(file: str) -> tuple[str, ...]:
    """`-C` costs Exim its rights, so it is only used for a file that it would not read by itself."""
    return ("exim", "-C", file, "-bP") if file else ("exim", "-bP")


def asked(bundle: Bundle, instance: Instance) -> tuple[str, ...]:
    ran = bundle.command(*EXIM_VERSION)
    usual = ran is not None and f"Configuration file is {instance.config}\n" in ran.stdout
    return command("" if usual else instance.config)


def facts(bundle: Bundle, instance: Instance, at: Endpoint) -> Iterator[HostFact | Unobserved]:
    told, places = _told(bundle, instance), _places(bundle, instance.config)
    ran = bundle.command(*asked(bundle, instance))
    yield from complaints(at, instance, [ran])
    if not told:
        detail = (ran.why or ran.stderr.strip()) if ran else ""
        yield Unobserved(
            at, "exim settings", Reason.REFUSED, f"{instance.config}: {detail[:200] or 'nothing was said'}"
        )
    yield _server(bundle, instance, at)
    for name in sorted({*places, *catalogued.names("exim")} & told.keys()):
        yield _setting(at, instance, name, told[name], places)
    yield from _listeners(bundle, instance, at, told, places)


def values(bundle: Bundle, instance: Instance) -> Iterator[tuple[str, str, Place | None]]:
    places = _places(bundle, instance.config)
    for name, value in _told(bundle, instance).items():
        yield name, value, places.get(name)


def _told(bundle: Bundle, instance: Instance) -> dict[str, str]:
    ran = bundle.command(*asked(bundle, instance))
    found: dict[str, str] = {}
    for line in ran.stdout.splitlines()[:MOST_LINES] if ran and ran.ok else ():
        name, equals, value = line.partition(" =")
        if equals:
            found[name.strip()] = value.strip()
        elif switch := _SWITCH.match(line.strip()):
            found[switch.group(2)] = "no" if switch.group(1) else "yes"
    return found


def _places(bundle: Bundle, file: str) -> dict[str, Place]:
    """The main section ends where the first `begin` stands; capitals are macros."""
    taken = bundle.file(file)
    found: dict[str, Place] = {}
    joined = False
    for number, line in enumerate(((taken.text if taken else None) or "").splitlines()[:MOST_LINES], 1):
        if line.startswith("begin "):
            break
        if not joined and (option := _OPTION.match(line.strip())):
            found[option.group(1).removeprefix("no_").removeprefix("not_")] = Place(file, number)
        joined = line.rstrip().endswith("\\")
    return found


def _server(bundle: Bundle, instance: Instance, at: Endpoint) -> ServerSeen:
    ran = bundle.command(*EXIM_VERSION)
    version = _VERSION.search(ran.stdout) if ran else None
    taken = bundle.file(instance.config)
    master = instance.master
    return ServerSeen(
        at,
        "exim",
        version.group(1) if version else "",
        instance.config,
        running=master is not None,
        pid=master.pid if master else 0,
        started=master.started if master else None,
        configured=taken.modified if taken else None,
        files=(instance.config,) if taken and taken.exists else (),
    )


def _setting(at: Endpoint, instance: Instance, name: str, value: str, places: dict[str, Place]) -> SettingSeen:
    shown = HIDDEN if value == UNSHOWN else masked(name, WORDS.get(value, value))
    written = name in places
    return SettingSeen(
        at, "exim", instance.config, "", name, shown, default=bool(places) and not written, place=places.get(name)
    )


def _listeners(
    bundle: Bundle, instance: Instance, at: Endpoint, told: dict[str, str], places: dict[str, Place]
) -> Iterator[ListenerConfigured | Unobserved]:
    """daemon_smtp_ports on local_interfaces; an interface may name a port of its own (specification, chapter 13)."""
    words = _list(told.get("daemon_smtp_ports", ""))
    ports = [services.port(bundle, word) for word in words]
    for word in (word for word, port in zip(words, ports, strict=True) if not port):
        yield Unobserved(
            at, f"port of {word[:60]}", Reason.UNRESOLVED, f"daemon_smtp_ports: no port is named {word[:60]!r}"
        )
    wrapped = {services.port(bundle, word) for word in _list(told.get("tls_on_connect_ports", ""))}
    found: dict[int, list[str]] = {}
    for address, port in map(_interface, _list(told.get("local_interfaces", "")) or ["0.0.0.0", "::0"]):
        for number in [port] if port else ports:
            found.setdefault(number, []).append("::" if address == "::0" else address)
    place = places.get("daemon_smtp_ports") or places.get("local_interfaces")
    for number, addresses in found.items() if told else ():
        everywhere = {"0.0.0.0", "::"} <= set(addresses)
        if number:
            yield ListenerConfigured(
                at,
                "exim",
                instance.config,
                f"daemon/{number}",
                number,
                () if everywhere else tuple(addresses),
                "smtp",
                tls=number in wrapped,
                place=place,
            )


def _list(text: str) -> list[str]:
    """Exim lists: colons between, doubled to mean one; `<;` at the front names another character."""
    text = text.strip()
    if text.startswith("<") and len(text) > 1:
        return [word.strip() for word in text[2:].split(text[1]) if word.strip()]
    return [word.strip().replace("\0", ":") for word in text.replace("::", "\0").split(":") if word.strip()]


def _interface(word: str) -> tuple[str, int]:
    """`[192.0.2.1]:25`, `192.0.2.1.25`, or an address alone."""
    bracketed = re.fullmatch(r"\[([^\]]+)\](?::(\d{1,5}))?", word)
    dotted = re.fullmatch(r"(\d+\.\d+\.\d+\.\d+)\.(\d{1,5})", word)
    found = bracketed or dotted
    return (found.group(1), int(found.group(2) or 0)) if found else (word, 0)
