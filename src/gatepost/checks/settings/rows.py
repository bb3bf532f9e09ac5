"""One row of the settings catalogue at one spot: is it about this server, and does its predicate hold there?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from gatepost.catalogue.settings import Safe
from gatepost.checks.settings import bound
from gatepost.checks.settings.answer import HOLDS, Answer, Held, about_else, all_of, any_of, cannot_tell, fails
from gatepost.checks.settings.predicates import OPERATORS
from gatepost.checks.settings.restrictions import reached, terms
from gatepost.checks.settings.spots import Asked, shown, told
from gatepost.model.host import SettingSeen

_LISTS = (
    "smtpd_client_restrictions", "smtpd_helo_restrictions", "smtpd_sender_restrictions", "smtpd_relay_restrictions",
    "smtpd_recipient_restrictions", "smtpd_data_restrictions", "smtpd_end_of_data_restrictions",
)  # fmt: skip


def answer(asked: Asked) -> Answer:
    """What is to be said of the row here."""
    row = asked.row
    if asked.version not in row.versions:
        return _without(asked)
    if row.when is not None:
        condition = judged(row.when, asked)
        if condition.held is Held.CANNOT_TELL:
            return condition
        if not condition.holds:
            return replace(about_else(_elsewhere(asked, condition)), seen=condition.seen)
    if row.follows and (seen := asked.seen(row.reads)) and f"${row.follows}" in seen.written:
        return replace(about_else(f"{row.reads} follows {row.follows}"), seen=(seen,))
    said = judged(row.safe_at(asked.spot.kin), asked)
    if said.fails and row.eased is not None and judged(row.eased, asked).holds:
        return replace(said, because=f"{said.because}; {row.eased_because}", severity=row.eased_to)
    return said


def _elsewhere(asked: Asked, condition: Answer) -> str:
    """Why the row is not about this spot."""
    found = next((one for one in condition.seen if isinstance(one, SettingSeen)), None)
    because = f"{found.name} is {shown(found.value)}" if found else condition.because
    return f"{because}, so {asked.row.reads} decides nothing here"


def _without(asked: Asked) -> Answer:
    row = asked.row
    label = f"{asked.spot.server.software.capitalize()} {asked.version}"
    if not row.flawed_without:
        return about_else(f"{label} has no {row.setting}")
    if asked.seen(row.reads) is not None:
        return cannot_tell(f"{label} as published has no {row.setting}; whether it was carried back is not known")
    return fails(f"{label} has no {row.setting}: it takes a newer version")


def judged(safe: Safe, asked: Asked) -> Answer:
    """A part of a predicate, with the settings it looked at."""
    if safe.versions is not None and asked.version not in safe.versions:
        return about_else("of another version")
    if safe.when is not None and not judged(safe.when, asked).holds:
        return about_else("it decides nothing here")
    if safe.of and safe.op not in _STRUCTURES:
        return _one_of_version(asked, safe)
    if safe.op in _STRUCTURES:
        return _STRUCTURES[safe.op](asked, safe)
    name = safe.setting or asked.row.reads
    seen = asked.seen(name)
    if seen is None:
        return HOLDS if safe.without else cannot_tell(f"{name} was not told")
    if asked.row.software == "postfix" and (unread := _unexpanded(seen.value)):
        return replace(cannot_tell(f"{name} depends on {unread}, which was not worked out"), seen=(seen,))
    said = OPERATORS[safe.op](seen, safe, asked)
    if said.holds and safe.behind is not None:
        said = reached([(one.name, one.value) for name in safe.behind.lists if (one := asked.seen(name))], safe.behind)
    return replace(said, seen=said.seen or (seen,))


def _unexpanded(value: str) -> str:
    """A value that still names others says nothing yet."""
    found = value.find("$")
    return value[found : found + 40].split(maxsplit=1)[0] if found >= 0 else ""


def _any_of(asked: Asked, safe: Safe) -> Answer:
    """Of several settings that may name a file, the one that does is to blame."""
    said = [judged(part, asked) for part in safe.of]
    written = [one for part, one in zip(safe.of, said, strict=True) if part.op == "file_exists" and _written(one)]
    return any_of([*written, *said])


def _written(said: Answer) -> bool:
    return any(isinstance(one, SettingSeen) and one.value.strip() for one in said.seen)


def _absent_or_all(asked: Asked, safe: Safe) -> Answer:
    return _all_of(asked, safe) if asked.spot.listener else HOLDS


def _all_of(asked: Asked, safe: Safe) -> Answer:
    return all_of([judged(part, asked) for part in safe.of])


def _one_of_version(asked: Asked, safe: Safe) -> Answer:
    """The spelling of a value changed between versions."""
    return next((said for part in safe.of if (said := judged(part, asked)).held is not Held.ABOUT_ELSE), HOLDS)


def _postscreen(asked: Asked, _safe: Safe) -> Answer:
    return HOLDS if asked.spot.postscreen else fails("postscreen does not run here")


def _any_restriction(asked: Asked, safe: Safe) -> Answer:
    """Whether any list, for this port, has the word."""
    found = {term.word.lower() for name in _LISTS if (one := asked.seen(name)) for term in terms(one.value)}
    return HOLDS if found & set(safe.values) else fails(f"no list has {safe.values[0]}")


def _present(asked: Asked, safe: Safe) -> Answer:
    """A block whose filter has the word, and which is exported."""
    every = list(told(asked.case, asked.spot.server))
    filters = [one for one in every if one.service.startswith("metric ") and safe.values[0] in one.value]
    exported = {one.service for one in every if one.name == "exporter" and one.value.strip()}
    if found := [one for one in filters if one.service in exported]:
        return replace(HOLDS, seen=tuple(found[:1]))
    nobody = fails(f"no metric with an exporter is about {safe.values[0]}")
    return replace(nobody, seen=(asked.spot.server,))


_STRUCTURES: Mapping[str, Callable[[Asked, Safe], Answer]] = {
    "absent_or_all": _absent_or_all,
    "absent_or_bound_to": bound.bound_to,
    "all_of": _all_of,
    "any_of": _any_of,
    "any_restriction": _any_restriction,
    "bound_to": bound.bound_to,
    "bound_to_declared_or_firewalled": bound.bound_to_declared,
    "eq_unless_declared": bound.closed_unless_declared,
    "listener_tls": bound.speaks_tls,
    "postscreen": _postscreen,
    "present": _present,
}
