"""Taking the header off a line: when, which machine, which program, and what it said.

A header is recognised at the start of a line alone, where nobody but the logging system writes. What follows it is
never looked into for another one, but for the two programs that put their own header behind syslog's (Exim, nginx).
"""

from __future__ import annotations

import re

from gatepost.logs import wrapped, years
from gatepost.model.log import Clock, Line

LONGEST = 16384  # characters of a message; the daemons' own bounds are lower, what is longer is cut and ends in …

_HOST = r"[A-Za-z0-9_.:%@/-]*[A-Za-z0-9_.%/-]"
_TAG = r"[^\s\[\]:<>=\"{}]{1,128}"
_NAMED = rf"(?:({_HOST}) +)?({_TAG})(?: ?\[(\d{{1,10}})\])?: ?"  # a host never ends in a colon, a tag always does
_SURE = r"([A-Za-z0-9_.:%-]+)(?<!:) +([A-Za-z0-9_./-]{1,128})(?:\[(\d{1,10})\])?: ?"  # a plain host and a plain tag
_BSD_STAMP = r"([A-Z][a-z][a-z] {1,2}\d{1,2} \d\d:\d\d:\d\d)"
_FAST_BSD = re.compile(rf"{_BSD_STAMP} {_SURE}")
_FAST_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)? " + _SURE,
)
_FAST_5424 = re.compile(
    r"<\d{1,3}>1 (\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d) "
    r"([!-,.-~][!-~]{0,254}) ([!-,.-~][!-~]{0,254}) (\d{1,10}) [!-~]{1,32} - ?\ufeff?"
)
_WHO = re.compile(_NAMED)
_PRIORITY = re.compile(r"<\d{1,3}>")
_BSD = re.compile(
    rf"{_BSD_STAMP}(?:[.,](\d{{1,9}}))?(Z|[+-]\d\d:?\d\d)?(?: (\d{{4}})(?= ))?:? *(?:<[a-z0-9]+\.[a-z]+> )?"
)
_BSD_YEAR = re.compile(r"([A-Z][a-z][a-z]) {1,2}(\d{1,2}) (\d{4}) (\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?:? +")
_YEAR_BSD = re.compile(r"(\d{4}) ([A-Z][a-z][a-z]) {1,2}(\d{1,2}) (\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?:? +")
_ISO = re.compile(
    r"(\d{4}[-/]\d\d[-/]\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?( ?[+-]\d\d:?\d\d(?=[: ]|$)|Z| UTC(?= ))?:?(?: +|$)"
)
_EPOCH = re.compile(r"(\d{9,10})(?:\.(\d{1,9}))? +")
_BRACKETED = re.compile(  # Roundcube, Kerio and others: [30-Dec-2014 13:02:34 -0500]: …
    r"\[(\d{1,2})[-/]([A-Z][a-z][a-z])[-/](\d{4})[: ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?( [+-]\d{4})?\]:? *"
)
_ACCESS = re.compile(  # HAProxy and nginx write the client first
    r"\S{2,60} (?:\S{1,64} \S{1,256} )?"
    r"\[(\d\d)/([A-Z][a-z][a-z])/(\d{4}):(\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?( (?:[+-]\d{4}|GMT))?\] "
)
_TAI = re.compile(r"@([0-9a-f]{16})([0-9a-f]{8})? ")
_TAI_1970 = 2**62 + 10  # multilog labels seconds so, and knows no later leap seconds
_VERSION_1 = re.compile(r"1 (?=\d{4}-|- )")
_STRUCTURED = re.compile(r"(?:\[(?:[^\]\"\\]|\"(?:[^\"\\]|\\.)*\")*\])+")
_DOVECOT = re.compile(
    r"((?:[a-z][a-z0-9-]*|IMAP|POP3)(?:\([^()]{0,300}\))?(?:<[^<>]{0,100}>){0,3}): "
    r"(?=(?:Info|Warning|Error|Debug|Fatal|Panic): )"
)
_DOVECOT_OLD = re.compile(r"(?:Info|Warn|Warning|Error|Debug|Fatal|Panic): (?=[A-Za-z0-9-]+(?:\([^()]{0,300}\))?: )")
_RSPAMD = re.compile(r"#(\d{1,10})\(([a-z0-9_]+)\) ")
_STALWART = re.compile(r"(?:TRACE|DEBUG|INFO|WARN|ERROR) +[A-Z][^()]{0,200}\([a-z0-9]+(?:-[a-z]+)*\.[a-z0-9.-]+\) ")
_NGINX = re.compile(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d (?=\[)")
_NGINX_LEVEL = re.compile(r"\[[a-z]+\] (\d{1,10})#\d{1,10}: ")
_EXIM = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,9})?(?: [+-]\d{4})? ")
_EXIM_PID = re.compile(r"\[(\d{1,10})\] ")
_COMPOSE = re.compile(r"[A-Za-z0-9][\w.-]{0,100} +\| ")
_CONTAINER = re.compile(r"(?:stdout|stderr) [FP] ")
_REPEATED = re.compile(rf"(?:({_HOST}) +)?(?:---? )?(?=(?:last )?message repeated \d)")


def heading(raw: bytes, clock: Clock) -> Line | None:
    """The parts of a line; None for one without text. Never raises, whatever the bytes.

    A line whose header is of no known form is all message, without a time. Objects of JSON are opened where a log
    shipper or journald wrapped a line in one; an event that is an object itself (Dovecot's exporter, Suricata, Zeek)
    stays whole in `message`.
    """
    text = raw.decode("utf-8", "replace")
    fast = _FAST_BSD.match(text)
    if fast:
        stamp, host, tag, pid = fast.groups()
        if tag not in _OWN_HEADER:
            at = years.yearless(stamp, clock.newest, clock.zone)
            return Line(at, host, tag, int(pid) if pid else None, _message(text, fast.end()))
    elif fast := _FAST_ISO.match(text) or _FAST_5424.match(text):
        day, time, fraction, offset, host, tag, pid = fast.groups()
        if tag not in _OWN_HEADER:
            at = _with(years.dated(day, time, offset or "", clock.newest, clock.zone), fraction)
            return Line(at, host, tag, int(pid) if pid else None, _message(text, fast.end()))
    return _slowly(text, clock)


_OWN_HEADER = frozenset({"exim", "exim4", "nginx"})


def _message(text: str, start: int) -> str:
    message = text[start:].rstrip("\r\n \0")
    if len(message) > LONGEST:
        message = message[: LONGEST - 1] + "…"
    return message.replace("\0", "") if "\0" in message else message


def _with(second: int | None, fraction: str | None) -> int | None:
    if not fraction or second is None:
        return second
    return second + int(fraction[:6].ljust(6, "0"))


def _slowly(text: str, clock: Clock) -> Line | None:
    text = text.replace("\0", "").strip("\r\n \t\ufeff")
    if not text:
        return None
    if text[0] == "{":
        line = wrapped.opened(text, clock, _plain)
        return line or Line(None, "", "", None, _message(text, 0))
    return _plain(text, clock)


def _plain(text: str, clock: Clock) -> Line:
    """Any text that is no object."""
    if compose := _COMPOSE.match(text):
        text = text[compose.end() :]
    priority = _PRIORITY.match(text)
    rest = text[priority.end() :] if priority else text
    line = _by_first(rest, clock) if rest else None
    return line or _who(None, rest, any_tag=priority is not None)


def _by_first(rest: str, clock: Clock) -> Line | None:
    first = rest[0]
    if first == "1" and (version := _VERSION_1.match(rest)):
        return _structured(rest[version.end() :], clock)
    if first == "@":
        return _tai(rest)
    if first == "[":
        return _bracketed(rest, clock)
    if first.isdigit():
        return _iso(rest, clock) or _year_first(rest, clock) or _epoch(rest) or _access(rest, clock)
    return _bsd(rest, clock) or _bsd_year(rest, clock) or _access(rest, clock)


def _bsd(text: str, clock: Clock) -> Line | None:
    """RFC 3164 with what others add to it: fractions, an offset, a year behind it, FreeBSD's <mail.info>."""
    found = _BSD.match(text)
    if not found:
        return None
    stamp, fraction, offset, year = found.groups()
    if year:
        at = years.named(stamp[3:-8].strip(), stamp[:3], year, stamp[-8:], offset or "", clock.newest, clock.zone)
    else:
        at = years.yearless(stamp, clock.newest, offset or clock.zone)
    return _who(_with(at, fraction), text[found.end() :], any_tag=True) if at is not None else None


def _bsd_year(text: str, clock: Clock) -> Line | None:
    found = _BSD_YEAR.match(text)
    if not found:
        return None
    month, day, year, time, fraction = found.groups()
    at = years.named(day, month, year, time, "", clock.newest, clock.zone)
    return _who(_with(at, fraction), text[found.end() :], any_tag=True) if at is not None else None


def _year_first(text: str, clock: Clock) -> Line | None:
    """syslog-ng's `ts_format(full)`."""
    found = _YEAR_BSD.match(text)
    if not found:
        return None
    year, month, day, time, fraction = found.groups()
    at = years.named(day, month, year, time, "", clock.newest, clock.zone)
    return _who(_with(at, fraction), text[found.end() :], any_tag=True) if at is not None else None


def _iso(text: str, clock: Clock) -> Line | None:
    found = _ISO.match(text)
    if not found:
        return None
    day, time, fraction, offset = found.groups()
    offset = (offset or "").strip().replace("UTC", "Z")
    at = _with(years.dated(day, time, offset, clock.newest, clock.zone), fraction)
    if at is None:
        return None
    rest = text[found.end() :]
    if container := _CONTAINER.match(rest):  # the kubelet's files: the line behind is as the daemon wrote it
        inner = _plain(rest[container.end() :], clock)
        return Line(at, inner.host, inner.tag, inner.pid, inner.message)
    if day[4] == "/":
        return _nginx(at, "", rest)
    return _who(at, rest, any_tag=text[10] == "T") if text[10] == "T" else _own_file(at, rest)


def _own_file(at: int, rest: str) -> Line:
    """A date with a space in it: Exim, Rspamd and fail2ban always write it, Dovecot and rsyslog on demand."""
    if _DOVECOT.match(rest) or _DOVECOT_OLD.match(rest):
        return _who(at, rest, any_tag=True)
    named = _WHO.match(rest)
    if named and named[3] and (named[1] or named[2].startswith("fail2ban")):
        return _who(at, rest, any_tag=True)
    if rspamd := _RSPAMD.match(rest):
        return Line(at, "", "rspamd", int(rspamd[1]), _message(rest, rspamd.end()))
    return _exim(at, "", "exim", None, rest)


def _epoch(text: str) -> Line | None:
    found = _EPOCH.match(text)
    if not found:
        return None
    at = _with(int(found[1]) * years.SECOND, found[2])
    return _who(at, text[found.end() :], any_tag=True)


def _tai(text: str) -> Line | None:
    """TAI64 and TAI64N, as multilog writes them."""
    found = _TAI.match(text)
    if not found:
        return None
    seconds = int(found[1], 16) - _TAI_1970
    if not 0 <= seconds < (years.LAST - years.FIRST) * 366 * 86400:
        return None
    nanoseconds = int(found[2] or "0", 16)
    return _without_host(seconds * years.SECOND + min(nanoseconds, 999_999_999) // 1000, text[found.end() :])


def _bracketed(text: str, clock: Clock) -> Line | None:
    found = _BRACKETED.match(text)
    return _without_host(_access_time(found, clock), text[found.end() :]) if found else None


def _access(text: str, clock: Clock) -> Line | None:
    """A line of an access log is all message: its client stands before the time."""
    found = _ACCESS.match(text)
    if not found:
        return None
    return Line(_access_time(found, clock), "", "nginx" if found[6] else "haproxy", None, _message(text, 0))


def _access_time(found: re.Match[str], clock: Clock) -> int | None:
    day, month, year, time, fraction, offset = found.groups()
    offset = (offset or "").strip().replace("GMT", "Z")
    return _with(years.named(day, month, year, time, offset, clock.newest, clock.zone), fraction)


def _structured(text: str, clock: Clock) -> Line | None:
    """RFC 5424 section 6 behind its version: time, host, application, process, message id, structured data."""
    words = text.split(" ", 5)
    if len(words) < 6:
        return None
    stamp, host, tag, pid, _, rest = words
    found = _ISO.fullmatch(stamp)
    at = None
    if found:
        at = _with(years.dated(found[1], found[2], found[4] or "", clock.newest, clock.zone), found[3])
    elif stamp != "-":
        return None
    number = int(pid) if pid.isascii() and pid.isdigit() and len(pid) <= 10 else None
    message = _message(_behind_data(rest), 0)
    host, tag = ("" if word == "-" else word[:255] for word in (host, tag))
    return Line(at, host, tag, number, message) if tag else _who(at, message, any_tag=True, host=host)


def _behind_data(rest: str) -> str:
    """Structured data may hold any text in quotes, brackets and words of a stranger included."""
    if rest[:1] == "[" and (data := _STRUCTURED.match(rest)):
        rest = rest[data.end() :]
    elif rest[:1] == "-":
        rest = rest[1:]
    return rest.removeprefix(" ").removeprefix("\ufeff")


def _without_host(at: int | None, rest: str) -> Line:
    if _DOVECOT.match(rest) or not (named := _WHO.match(rest)) or named[1]:
        return _who(at, rest, any_tag=False)
    return Line(at, "", named[2], int(named[3]) if named[3] else None, _message(rest, named.end()))


def _who(at: int | None, rest: str, *, any_tag: bool, host: str = "") -> Line:
    """Host, tag and process. `any_tag`: a tag without a process in brackets is one too."""
    if _DOVECOT.match(rest):
        return Line(at, host, "dovecot", None, _as_in_syslog(_message(rest, 0)))
    if old := _DOVECOT_OLD.match(rest):
        level = "" if rest.startswith("Info") else old[0]
        return Line(at, host, "dovecot", None, level + _message(rest, old.end()))
    if _STALWART.match(rest):
        return Line(at, host, "stalwart", None, _message(rest, 0))
    named = _WHO.match(rest)
    if named and (any_tag or named[3]):
        return _tagged(at, _origin(named[1]) or host, named, rest)
    if repeated := _REPEATED.match(rest):
        return Line(at, _origin(repeated[1]) or host, "", None, _message(rest, repeated.end()))
    return Line(at, host, "", None, _message(rest, 0))


def _tagged(at: int | None, host: str, named: re.Match[str], rest: str) -> Line:
    tag, pid = named[2], int(named[3]) if named[3] else None
    if tag.startswith("exim"):
        inner = _EXIM.match(rest, named.end())
        return _exim(at, host, tag, pid, rest[(inner or named).end() :])
    if tag == "nginx" and (stamp := _NGINX.match(rest, named.end())):
        return _nginx(at, host, rest[stamp.end() :])
    return Line(at, host, tag, pid, _message(rest, named.end()))


def _origin(host: str | None) -> str:
    """syslog-ng's chain `source@first/second` names the machine that wrote the line first."""
    if not host:
        return ""
    return host.rpartition("@")[2].partition("/")[0][:255]


def _exim(at: int | None, host: str, tag: str, pid: int | None, rest: str) -> Line:
    found = _EXIM_PID.match(rest)
    own = int(found[1]) if found else pid
    return Line(at, host, tag, own, _message(rest, found.end() if found else 0))


def _nginx(at: int | None, host: str, rest: str) -> Line:
    found = _NGINX_LEVEL.match(rest)
    return Line(at, host, "nginx", int(found[1]) if found else None, _message(rest, found.end() if found else 0))


def _as_in_syslog(message: str) -> str:
    """Dovecot leaves the level out for syslog where it is Info; so that both logs read alike."""
    process, _, said = message.partition(": Info: ")
    return f"{process}: {said}" if said and _DOVECOT.match(message) and ": " not in process else message
