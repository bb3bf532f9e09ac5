"""The server settings that decide the security of mail ports, as typed rows, read on first use."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from gatepost.catalogue import Raw, document
from gatepost.catalogue.versions import Range
from gatepost.errors import UsageError
from gatepost.model.words import Severity

EVERYWHERE = "*"  # in `applies_to`: the instance as a whole
OUTWARD = "out"  # in `applies_to`: what the server does as a client


@dataclass(frozen=True, slots=True)
class Safe:
    """A predicate for an effective value; the operators are explained in the file's header.

    `setting` names another setting than the row's. `when` and `versions` limit a part of `of`.
    """

    op: str
    values: tuple[str, ...] = ()
    private: tuple[str, ...] = ()  # safe as well where the port is not for the Internet
    low: int | None = None
    high: int | None = None
    never: tuple[str, ...] = ()
    setting: str = ""
    of: tuple[Safe, ...] = ()
    when: Safe | None = None
    versions: Range | None = None
    without: bool = False  # holds also in a version that has no such setting
    must_reach: tuple[str, ...] = ()
    may_permit: tuple[str, ...] = ()
    or_setting: str = ""
    file: str = ""  # another setting whose file has to exist as well
    behind: Restriction | None = None
    users: Safe | None = None  # what an excluded word may do all the same


@dataclass(frozen=True, slots=True)
class Restriction:
    """One of `words` has to stand in one of `lists`, and not behind one of `not_behind`."""

    lists: tuple[str, ...]
    words: tuple[str, ...]
    not_behind: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A setting and what its effective value has to be. `promise` holds when it is; `mend` is told where no value is
    right for everybody.
    """

    id: str
    software: str
    setting: str
    promise: str
    versions: Range
    applies_to: tuple[str, ...]  # port numbers, `*` or `out`
    safe: Safe
    at: tuple[tuple[str, Safe], ...]  # another predicate for a port
    when: Safe | None
    controls: tuple[str, ...]
    severity: Severity
    why: str
    note: str
    source: str
    listener: str  # the Dovecot listener it is about: `auth`, `imap-login/imap`
    block: str  # how the Dovecot blocks begin that it is about
    reads: str  # the setting by the name it has there
    follows: str  # another setting that it usually stands for, with a row of its own
    mend: str
    per_service: bool  # a value for all ports would harm some
    flawed_without: bool  # a version without the setting has the flaw
    eased: Safe | None = None  # where this holds, another setting keeps out most of the harm
    eased_to: Severity | None = None
    eased_because: str = ""
    _sets: tuple[tuple[Range, str], ...] = ()

    @property
    def check(self) -> str:
        """The name of its judge, as findings have it."""
        return self.id.replace(".", "-").replace("_", "-")

    @property
    def control(self) -> str:
        return self.controls[0]

    def safe_at(self, port: str) -> Safe:
        return dict(self.at).get(port, self.safe)

    def sets(self, version: str = "", port: str = "") -> str | None:
        """The value that mends it; None where that is a decision, or follows from the declaration."""
        if port in dict(self.at):
            return _first(dict(self.at)[port])
        if self._sets:
            return next((value for versions, value in self._sets if version in versions), None)
        return _first(self.safe)


def _first(safe: Safe) -> str | None:
    if safe.op in {"eq", "in", "version_ge", "tls_min", "eq_unless_declared"} and safe.values:
        return safe.values[0]
    if safe.op == "empty":
        return ""
    return " ".join(safe.values) if safe.op == "tokens_include_all" else None


@cache
def settings() -> tuple[Row, ...]:
    """In catalogue order, which is the order of reports."""
    return tuple(_row(raw) for raw in document("server_settings")["settings"])


def setting(name: str) -> Row:
    """Raises UsageError for an id that is not in the catalogue."""
    found = {row.id: row for row in settings()}.get(name)
    if found is None:
        raise UsageError(f"no setting is named {name!r}")
    return found


def setting_of(check: str) -> Row | None:
    """The row a judge is named after."""
    return _by_check().get(check)


@cache
def _by_check() -> dict[str, Row]:
    return {row.check: row for row in settings()}


def _row(raw: Raw) -> Row:
    return Row(
        id=raw["id"],
        software=raw["software"],
        setting=raw["setting"],
        promise=raw["promise"],
        versions=Range(raw["versions"], tuple(raw.get("backports", ()))),
        applies_to=tuple(raw["applies_to"]),
        safe=_safe(raw["safe"]),
        at=tuple((port, _safe(safe)) for port, safe in raw.get("at", {}).items()),
        when=_safe(raw["when"]) if "when" in raw else None,
        controls=tuple(raw["controls"]),
        severity=Severity(raw["severity"]),
        why=raw["why"],
        note=raw.get("note", ""),
        source=raw["source"],
        listener=raw.get("listener", ""),
        follows=raw.get("follows", ""),
        block=raw.get("block", ""),
        reads=str(raw.get("reads", raw["setting"])),
        mend=raw.get("mend", ""),
        per_service=raw.get("per_service", False),
        flawed_without=raw.get("without") == "fail",
        eased=_safe(raw["eased"]) if "eased" in raw else None,
        eased_to=Severity(raw["eased"]["severity"]) if "eased" in raw else None,
        eased_because=raw["eased"]["because"] if "eased" in raw else "",
        _sets=_sets(raw),
    )


def _sets(raw: Raw) -> tuple[tuple[Range, str], ...]:
    wanted = raw["safe"].get("set", [])
    listed = [{"value": wanted}] if isinstance(wanted, str) else wanted
    return tuple((Range(one.get("versions", ""), tuple(one.get("backports", ()))), one["value"]) for one in listed)


def _safe(raw: Raw) -> Safe:
    return Safe(
        op=raw["op"],
        values=_values(raw),
        private=tuple(raw.get("private", ())),
        low=_number(raw, "min"),
        high=_number(raw, "max"),
        never=tuple(raw.get("never", ())),
        setting=raw.get("setting", ""),
        of=tuple(_safe(part) for part in raw.get("of", ())),
        when=_safe(raw["when"]) if "when" in raw else None,
        versions=Range(raw["versions"]) if "versions" in raw else None,
        without=raw.get("without", False),
        must_reach=tuple(raw.get("must_reach", ())),
        may_permit=tuple(raw.get("permit_before_allowed", ())),
        or_setting=raw.get("or_setting", ""),
        file=raw.get("and_file", {}).get("setting", ""),
        behind=_restriction(raw["and_restriction"]) if "and_restriction" in raw else None,
        users=_safe({"op": "tokens_exclude", **raw["users"]}) if "users" in raw else None,
    )


def _values(raw: Raw) -> tuple[str, ...]:
    if "values" in raw:
        return tuple(raw["values"])
    value = raw.get("value", ())
    return tuple(map(str, value)) if isinstance(value, list | tuple) else (str(value),)


def _number(raw: Raw, key: str) -> int | None:
    """A bound; the operators with a single one keep it under `value`."""
    if key in raw:
        return int(raw[key])
    single = {"min": {"int_ge", "seconds_ge"}, "max": {"seconds_le"}}
    return int(raw["value"]) if raw["op"] in single[key] else None


def _restriction(raw: Raw) -> Restriction:
    return Restriction(tuple(raw["in_any_of"]), tuple(raw["include_any"]), tuple(raw["not_behind"]))
