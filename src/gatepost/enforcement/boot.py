"""The table when the host starts: the kernel forgets it, so the rules are kept in a file and a unit loads them.

Measured on systemd 252: it runs behind `nftables.service` and before the network, and again when that service is
reloaded, restarted, or stopped and started, each of which empties the whole rule set. Two ways to empty it go unseen
until somebody looks: `nft` by hand, and that service started for the first time while the unit is active. Other
firewalls keep to tables of their own; waiting for Docker would be a circle, since Docker waits for the network.

Whoever locked himself out may press the reset button
before the guardian comes to it: then the rules of an apply that nobody kept are not loaded, but those before it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256

from gatepost.enforcement import wording
from gatepost.enforcement.observed import Inside
from gatepost.enforcement.shares import Share
from gatepost.firewall.rendering.words import Json
from gatepost.model.plan import Act, Found, Kind, Step, Written
from gatepost.servers import boot
from gatepost.servers.boot import NAME, RULES, UNIT, Start

KEY = "firewall:boot"
MASKED = "masked"
PULLED_BY = ("sysinit.target", "nftables.service")  # the second also when somebody stops and starts it
_SHARED = frozenset({"container", "docker", "namespace", "netns"})  # ways to what has no /etc or start of its own
_ENABLED = "enabled"


def shares(inside: Inside, wanted: Json, declared: Json, *, loads: bool) -> Iterator[Share]:
    """`loads`: the table is loaded now. `declared`: what `gatepost firewall` prints."""
    start = boot.start(inside.bundle) if inside.bundle else None
    if _shared(inside):
        if loads:
            yield Share(_elsewhere(inside))
    elif start is None:
        return
    elif not start.systemd:
        if start.rules not in {_digest(text(wanted)), _digest(text(declared))}:
            yield Share(_without_systemd(inside))
    elif start.state.startswith(MASKED):
        yield Share(_masked(inside))
    elif why := _lacking(inside, start, wanted):
        yield Share(_step(inside, start, wanted, why))


def text(rendered: Json) -> str:
    """As `gatepost firewall --render nft` prints it, so that a file made by hand is the same file."""
    return json.dumps(rendered, indent=1, ensure_ascii=False) + "\n"


def _digest(whole: str) -> str:
    return sha256(whole.encode()).hexdigest()


def _shared(inside: Inside) -> bool:
    by = inside.bundle.via if inside.bundle else ""
    return bool(_SHARED & {inside.host.via.partition(" ")[0], by.partition(" ")[0]})


def _lacking(inside: Inside, start: Start, wanted: Json) -> str:
    """Why the host would start otherwise than it should; empty when it would not."""
    if not start.unit or not start.rules:
        return "The kernel forgets the table when the host restarts, and nothing loads it again."
    if start.rules != _digest(text(wanted)):
        return f"{RULES} is not what the declaration says: the host would start with other rules."
    if start.unit != _digest(unit(inside.host.name)):
        return f"{UNIT} is not as gatepost writes it."
    if start.state != _ENABLED:
        return f"{NAME} is {start.state or 'not enabled'}: the host would start without the table."
    return ""


def _step(inside: Inside, start: Start, wanted: Json, why: str) -> Step:
    rules, service = Written(RULES, text(wanted), 0o600), Written(UNIT, unit(inside.host.name))
    seen = ((rules, start.rules), (service, start.unit))
    return replace(
        _plain(inside, why),
        diff="".join(_diff(one, digest) for one, digest in seen),
        touches=tuple(f"/etc/systemd/system/{target}.wants/{NAME}" for target in PULLED_BY),
        writes=(rules, service),
        acts=(Act(("systemctl", "enable", "--now", NAME)),),
        checks=(Act(("nft", "-c", "-j", "-f", RULES)),),
        undo=(Act(("systemctl", "daemon-reload")),),  # the links of `enable` are files that are put back
        found=tuple(Found(one.path, digest) for one, digest in seen if digest is not None),
        already=(Act(("systemctl", "is-enabled", "--quiet", NAME)),),
    )


def _diff(one: Written, was: str | None) -> str:
    if was == _digest(one.text):
        return ""
    if one.path == RULES:
        return wording.line(RULES, "other rules" if was else None, "the table as declared")
    return wording.line(UNIT, "something else", "the unit") if was else wording.changed(UNIT, None, one.text)


def _masked(inside: Inside) -> Step:
    why = f"{NAME} is masked: somebody decided that it shall not run, and the host starts without the table."
    return _by_hand(inside, why, f"systemctl unmask {NAME}\n")


def _without_systemd(inside: Inside) -> Step:
    why = (
        "The kernel forgets the table when the host restarts. systemd does not run this host, so what loads it again "
        "is for you to say: a script in /etc/network/if-pre-up.d (Debian), or /etc/rc.local."
    )
    return _by_hand(inside, why, _commands(inside))


def _elsewhere(inside: Inside) -> Step:
    why = (
        "The table is gone when this namespace or container is: whatever makes it has to load the rules, before "
        "the network is up."
    )
    return _by_hand(inside, why, _commands(inside))


def _commands(inside: Inside) -> str:
    return f"(umask 077; gatepost firewall {inside.host.name} --render nft > {RULES})\nnft -j -f {RULES}\n"


def _by_hand(inside: Inside, why: str, commands: str) -> Step:
    return replace(_plain(inside, why), diff=commands, by_hand=True)


def _plain(inside: Inside, why: str) -> Step:
    title = "load the table when the host starts"
    return Step(KEY, inside.host.name, Kind.FIREWALL, title, ("GP-FW-001",), why)


def unit(host: str) -> str:
    """Late enough for /var, early enough for the network; nothing of it may wait for what comes after the network."""
    pulled = " ".join(PULLED_BY)
    run = _in_unit(loading(f"{boot.BACKUPS}/{host}"))
    return f"""\
# Written by gatepost, which writes it anew.
[Unit]
Description=Firewall table of gatepost
Documentation=man:nft(8)
DefaultDependencies=no
Wants=network-pre.target
Before=network-pre.target shutdown.target
After=local-fs.target nftables.service
Conflicts=shutdown.target
PartOf=nftables.service
ReloadPropagatedFrom=nftables.service

[Service]
Type=oneshot
RemainAfterExit=yes
# The rules of an apply that was cut off before anybody kept them are not loaded, but those it found.
ExecStart=/bin/sh -c '{run}'
ExecReload=/bin/sh -c '{run}'
ProtectSystem=full
ProtectHome=yes

[Install]
WantedBy={pulled}
"""


def loading(home: str, rules: str = RULES, systemd: str = boot.SYSTEMD) -> str:
    """Shell. `home` holds the backups of applies, and a lock while one is undecided.

    A lock that is younger than the system's start is of an apply under way, and its guardian is alive.
    """
    return f"""\
rules={rules} home={home} before=
apply=$home/$(cut -f 1 $home/lock 2>/dev/null)
[ $home/lock -nt {systemd} ] || grep -qsx kept $apply/decision || before=$(grep -lsxF $rules $apply/before/*.name)
[ -z "$before" ] || rules=${{before%.name}}
[ ! -e $rules ] || nft -j -f $rules"""


def _in_unit(shell: str) -> str:
    """As systemd.service(5) wants a command: in one line, with its own signs doubled."""
    return shell.replace("%", "%%").replace("$", "$$").replace("\n", "; \\\n  ")
