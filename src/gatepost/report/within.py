"""What hosts and firewalls told from inside, in the words of evidence: the setting, the rule, the file, the place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gatepost.model.host import (
    BundleRead,
    DaemonSaid,
    FileSeen,
    ListenerConfigured,
    PackageSeen,
    Place,
    ServerSeen,
    SettingSeen,
    SocketSeen,
)
from gatepost.model.rules import (
    AdmissionSeen,
    BanSeen,
    DeviationSeen,
    FirewallSeen,
    LifeSupportSeen,
    ReachSeen,
    RuleRef,
)

Lines = tuple[str, ...]
MOST = 8  # prefixes in one line; the rest is counted


def _setting(one: SettingSeen) -> Lines:
    where = str(one.place) if one.place else "built-in default" if one.default else one.instance
    service = f" [{one.service}]" if one.service else ""
    meant = f"   (written {one.written})" if one.written and one.written != one.value else ""
    return (f"{where}: {one.name}{service} = {one.value}{meant}",)


def _listener(one: ListenerConfigured) -> Lines:
    where = ", ".join(one.addresses) or "every address"
    tls = ", TLS from the first byte" if one.tls else ""
    return (f"{one.place or one.instance}: {one.name} listens on {one.port} at {where}{tls}",)


def _socket(one: SocketSeen) -> Lines:
    where = f"[{one.address}]" if one.family == 6 else one.address
    who = f"{one.process} ({one.pid})" if one.process and one.pid else one.process or "a process that was not told"
    both = ", IPv4 too" if one.dual else ""
    return (f"{one.transport} {where}:{one.port} is listened on by {who}{both}",)


def _server(one: ServerSeen) -> Lines:
    since = f" since {one.started:%Y-%m-%d %H:%M}" if one.started else ""
    state = f"runs as {one.pid}{since}" if one.running else "does not run"
    stale = f"; its files changed later, {one.configured:%Y-%m-%d %H:%M}" if one.stale and one.configured else ""
    return (f"{one.software} {one.version} ({one.instance}) {state}{stale}",)


def _package(one: PackageSeen) -> Lines:
    return (f"package {one.package} {one.version}" + (f" on {one.distribution}" if one.distribution else ""),)


def _file(one: FileSeen) -> Lines:
    named = f", named by {', '.join(one.used_by)}" if one.used_by else ""
    if not one.exists:
        return (f"{one.path} does not exist{named}{_at(one.place)}",)
    said = f"{one.path}: {one.purpose}, mode {one.mode:04o}, {one.owner}:{one.group}{named}{_at(one.place)}"
    return (said, f"public key {one.public[:16]}…") if one.public else (said,)


def _at(place: Place | None) -> str:
    return f" ({place})" if place else ""


def _said(one: DaemonSaid) -> Lines:
    return tuple(f"{one.software}: {line}" for line in one.text.splitlines())


def _bundle(one: BundleRead) -> Lines:
    rights = "" if one.root else ", not as root"
    absent = (f"not there: {', '.join(one.absent)}",) if one.absent else ()
    return (f"looked inside by {one.via}{rights}, {one.taken_at:%Y-%m-%d %H:%M}", *absent)


def _firewall(one: FirewallSeen) -> Lines:
    head = f"{one.rules} rules in {', '.join(one.tables) or 'no table'}"
    moment = ("true for this moment: some entries run out",) if one.volatile else ()
    return (head, *(f"assumed: {text}" for text in one.assumed), *moment)


def _admission(one: AdmissionSeen) -> Lines:
    who = prefixes(one.accepted) or "nobody"
    said = [f"{one.at} by {one.path}: accepted from {who}"]
    if one.undecided:
        said.append(f"cannot tell for {prefixes(one.undecided)}: {'; '.join(one.reasons)}")
    return (*said, *_rules(one.rules))


def _deviation(one: DeviationSeen) -> Lines:
    low, high = one.ports
    ports = str(low) if low == high else f"{low}-{high}"
    toward = f" to {one.target}" if one.target else ""
    said = f"{one.drift.value}: {one.direction} {ports}{toward}, {prefixes(one.sources)}; for example {one.witness}"
    return (said, *_rules(one.rules), *one.reasons)


def _life(one: LifeSupportSeen) -> Lines:
    state = {True: "alive", False: "dead", None: "cannot tell"}[one.alive]
    detail = f", {one.detail}" if one.detail else ""
    return (f"{one.what} over IPv{one.family}: {state}{detail}", *_rules(one.rules))


def _ban(one: BanSeen) -> Lines:
    ports = ", ".join(map(str, one.passes)) or "no mail port"
    return (f"{one.source} is banned by {one.where} and gets in on {ports}", *_rules(one.rules))


def _reach(one: ReachSeen) -> Lines:
    zone = f" ({one.zone})" if one.zone and one.zone != one.vantage else ""
    return (f"from {one.vantage}{zone}: {one.at} {one.result.value}" + (f", {one.detail}" if one.detail else ""),)


def _rules(rules: Iterable[RuleRef]) -> Lines:
    return tuple(f"{rule}: {rule.text}" + (f"   # {rule.comment}" if rule.comment else "") for rule in rules)


def prefixes(listed: tuple[str, ...]) -> str:
    more = f" and {len(listed) - MOST} more" if len(listed) > MOST else ""
    return ", ".join(listed[:MOST]) + more


WORDS: Mapping[type, Callable[[Any], Lines]] = {
    AdmissionSeen: _admission,
    BanSeen: _ban,
    BundleRead: _bundle,
    DaemonSaid: _said,
    DeviationSeen: _deviation,
    FileSeen: _file,
    FirewallSeen: _firewall,
    LifeSupportSeen: _life,
    ListenerConfigured: _listener,
    PackageSeen: _package,
    ReachSeen: _reach,
    ServerSeen: _server,
    SettingSeen: _setting,
    SocketSeen: _socket,
}
