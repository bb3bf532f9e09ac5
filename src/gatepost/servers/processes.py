"""The running mail servers: their masters, with which configuration, and when they last read it.

A reload keeps the master and its start time, but both Postfix and Dovecot start some children anew at that moment
(measured: qmgr and pickup; log, and config when it is next asked). Their start time is the last reading.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from gatepost.model.bundle import Bundle

# Only processes of this network namespace: those of containers belong to the hosts they are declared as. Of the
# environment only MAIL_CONFIG is taken.
SCRIPT = r"""
ours=$(readlink /proc/self/ns/net)
printf 'ticks %s\n' "$(getconf CLK_TCK 2> /dev/null || echo 100)"
printf 'boot %s\n' "$(sed -n 's/^btime //p' /proc/stat)"
for d in /proc/[0-9]*; do
  { read -r comm < "$d/comm"; } 2> /dev/null || continue
  case $comm in master | qmgr | pickup | dovecot | log | config | exim | exim4) ;; *) continue ;; esac
  net=$(readlink "$d/ns/net" 2> /dev/null)
  [ -z "$net" ] || [ "$net" = "$ours" ] || continue
  printf 'stat %s\n' "$(cat "$d/stat" 2> /dev/null)"
  printf 'exe %s\n' "$(readlink "$d/exe" 2> /dev/null)"
  printf 'cwd %s\n' "$(readlink "$d/cwd" 2> /dev/null)"
  printf 'args %s\n' "$(tr '\n\000' ' \t' < "$d/cmdline" 2> /dev/null)"
  printf 'config %s\n' "$(tr '\n\000' ' \n' < "$d/environ" 2> /dev/null | sed -n 's/^MAIL_CONFIG=//p' | head -n 1)"
done
exit 0
"""
COMMAND = ("sh", "-c", SCRIPT, "processes")
MOST = 2000  # processes of mail servers, children included
MOST_MASTERS = 50
TICKS_PER_SECOND = 100

_REREADERS = {"postfix": {"qmgr", "pickup"}, "dovecot": {"log", "config"}, "exim": set[str]()}


@dataclass(frozen=True, slots=True)
class Master:
    """The process that a mail server hangs on. `config` is what it was told, empty for the built-in default."""

    software: str
    pid: int
    started: datetime | None  # or last made to read its configuration again
    config: str
    args: tuple[str, ...] = ()


@dataclass(slots=True)
class _Raw:
    name: str
    pid: int
    parent: int
    ticks: int
    exe: str = ""
    cwd: str = ""
    args: tuple[str, ...] = ()
    config: str = ""


def masters(bundle: Bundle) -> tuple[Master, ...]:
    ran = next((r for r in bundle.ran if r.argv[-1:] == COMMAND[-1:]), None)
    if ran is None:
        return ()
    lines = ran.stdout.splitlines()[: 10 * MOST]
    numbers = {word: int(text) for word, _, text in (line.partition(" ") for line in lines[:2]) if text.isdecimal()}
    found = list(islice(_raw(lines), MOST))
    mine = ((one, software) for one in found if (software := _software(one)))
    return tuple(_master(one, software, found, numbers) for one, software in islice(mine, MOST_MASTERS))


def _raw(lines: list[str]) -> Iterator[_Raw]:
    one: _Raw | None = None
    for line in lines:
        word, _, text = line.partition(" ")
        if word == "stat":
            if one:
                yield one
            one = _stat(text)
        elif one and word in {"exe", "cwd", "config"}:
            setattr(one, word, text)
        elif one and word == "args":
            one.args = tuple(text.removesuffix("\t").split("\t"))
    if one:
        yield one


def _stat(text: str) -> _Raw | None:
    """proc(5): pid, name in brackets, state, parent … the start time is the 22nd."""
    head, _, tail = text.rpartition(")")
    pid, _, name = head.partition(" (")
    words = tail.split()
    if len(words) < 20 or not (pid.isdecimal() and words[1].isdecimal() and words[19].isdecimal()) or words[0] == "Z":
        return None
    return _Raw(name, int(pid), int(words[1]), int(words[19]))


def _software(one: _Raw) -> str:
    program = one.exe or one.args[0] if one.args else one.exe
    if one.name == "master" and "postfix" in program:
        return "postfix"
    if one.name == "dovecot":
        return "dovecot"
    daemon = any(arg.startswith("-bd") or arg == "-bdf" for arg in one.args)
    return "exim" if one.name.startswith("exim") and daemon else ""


def _master(one: _Raw, software: str, every: list[_Raw], numbers: dict[str, int]) -> Master:
    children = [c.ticks for c in every if c.parent == one.pid and c.name in _REREADERS[software]]
    return Master(software, one.pid, _at(max([one.ticks, *children]), numbers), _config(one, software), one.args)


def _at(ticks: int, numbers: dict[str, int]) -> datetime | None:
    seconds = numbers.get("boot", 0) + ticks / (numbers.get("ticks", 0) or TICKS_PER_SECOND)
    try:
        return datetime.fromtimestamp(seconds, UTC) if numbers.get("boot") else None
    except (OverflowError, ValueError, OSError):
        return None


def _config(one: _Raw, software: str) -> str:
    option = "-C" if software == "exim" else "-c"
    told = one.config if software == "postfix" else ""
    for word, following in zip(one.args, (*one.args[1:], ""), strict=False):
        if word == option:
            told = told or following
    if told and not told.startswith("/"):
        return f"{one.cwd}/{told}" if one.cwd.startswith("/") else ""
    return told.rstrip("/") if len(told) > 1 else told
