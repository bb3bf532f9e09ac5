"""DMARC policy records (RFC 9989 sections 4.7 and 4.8): every tag, what breaks it and what that leads to."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from gatepost.model.domain import DmarcRecord
from gatepost.records import dmarc_uris, tags
from gatepost.records.sentences import bounded, shown
from gatepost.records.tags import Tags

VERSION = "DMARC1"
POLICIES = ("none", "quarantine", "reject")  # from weak to strong
OBSOLETE = {
    "pct": "policies are applied whole, and t=y is what is left of it",
    "rf": "failure reports have one format",
    "ri": "aggregate reports come daily",
}
KNOWN = ("v", "p", "sp", "np", "psd", "t", "adkim", "aspf", "fo", "rua", "ruf", *OBSOLETE)

_MEANT = re.compile(r"\s*[\"']?v\s*=\s*DMARC", re.IGNORECASE)
_FAILURES = frozenset({"0", "1", "d", "s"})


def owner(domain: str) -> str:
    """Where the record of a domain stands (RFC 9989 section 4.1)."""
    return f"_dmarc.{domain}"


def is_policy(text: str) -> bool:
    """Whether receivers take a TXT record for a DMARC record: `v=DMARC1` comes first, in this case."""
    name, equals, value = (part.strip(tags.BLANKS) for part in text[:200].partition(";")[0].partition("="))
    return (name, equals, value) == ("v", "=", VERSION)


def is_meant(text: str) -> bool:
    """Whether its owner takes it for one."""
    return bool(_MEANT.match(text))


def overlooked(text: str) -> str:
    """Why a record that is meant as one is not taken for one."""
    start = text[:200].partition(";")[0].strip(tags.BLANKS)
    value = start.partition("=")[2].strip(tags.BLANKS)
    if start[:1] in {'"', "'"}:
        because = "it begins with a quotation mark"
    elif value.upper() == VERSION:
        because = f"v={VERSION} has to be written in this case"
    elif value.startswith(VERSION):
        because = f"no semicolon follows v={VERSION}"
    else:
        because = f"it does not begin with v={VERSION}"
    return f"{shown(text)} is ignored: {because}"


def read(text: str, domain: str) -> DmarcRecord:
    """A text for which `is_policy` holds.

    `p` is empty where receivers apply no DMARC at all: without a valid policy and without an address for reports
    (section 4.10.1). With an address it counts as none.
    """
    found = _lowered(tags.read(text))
    notes = _formal(found)
    rua = _addresses(found, "rua", notes)
    ruf = _addresses(found, "ruf", notes)
    p, sp, np = _policies(found, notes, reports=bool(rua))
    record = DmarcRecord(
        domain,
        text[: tags.MAX_TEXT],
        p=p,
        sp=sp,
        np=np,
        psd=_word(found, "psd", ("u", "n", "y"), notes),
        testing=_word(found, "t", ("n", "y"), notes) == "y",
        adkim=_word(found, "adkim", ("r", "s"), notes),
        aspf=_word(found, "aspf", ("r", "s"), notes),
        rua=rua,
        ruf=ruf,
        fo=_failures(found, notes),
        obsolete=tuple(f"{name}={value}" for name, value in found.pairs if name in OBSOLETE),
    )
    _oddities(text, found, notes)
    _weaknesses(record, found, notes)
    return _with(record, notes)


@dataclass(slots=True)
class _Notes:
    problems: list[str] = field(default_factory=list)
    advice: list[str] = field(default_factory=list)


def _with(record: DmarcRecord, notes: _Notes) -> DmarcRecord:
    return replace(record, problems=bounded(notes.problems), advice=bounded(notes.advice))


def _formal(found: Tags) -> _Notes:
    """Receivers pass over what they do not know, and so over slips that cost no policy (section 4.8)."""
    notes = _Notes(problems=[one for one in found.problems if one not in found.slips])
    notes.advice += [f"{one}: receivers pass over it" for one in found.slips]
    return notes


def _lowered(found: Tags) -> Tags:
    """Names in lower case: the grammar of DMARC would have it so, the one of DKIM it borrows would not."""
    return replace(found, pairs=tuple((name.lower(), value) for name, value in found.pairs))


def _policies(found: Tags, notes: _Notes, *, reports: bool) -> tuple[str, str, str]:
    """p, sp and np. One broken policy takes the others with it (section 4.10.1)."""
    given = {name: found.first(name) for name in ("p", "sp", "np")}
    broken = [name for name, value in given.items() if value is not None and value.lower() not in POLICIES]
    then = "the record counts as p=none" if reports else "and without a usable rua= receivers apply no DMARC at all"
    notes.problems += [f"{name}={shown(given[name] or '')[1:-1]} is no policy: {then}" for name in broken]
    if given["p"] is None:
        (notes.advice if reports else notes.problems).append(f"no p=: {then}")
    if broken or given["p"] is None:
        sp, np = ("", "") if broken else (given["sp"] or "", given["np"] or "")
        return ("none", sp.lower(), np.lower()) if reports else ("", "", "")
    return given["p"].lower(), (given["sp"] or "").lower(), (given["np"] or "").lower()


def _word(found: Tags, name: str, allowed: tuple[str, ...], notes: _Notes) -> str:
    """One of a few words, the first being the default, which also stands in for a broken value."""
    value = found.first(name)
    if value is None or value.lower() in allowed:
        return (value or allowed[0]).lower()
    notes.problems.append(f"{name}={shown(value)[1:-1]} is none of {', '.join(sorted(allowed))}: {allowed[0]} counts")
    return allowed[0]


def _addresses(found: Tags, name: str, notes: _Notes) -> tuple[str, ...]:
    value = found.first(name)
    if value is None:
        return ()
    uris, problems, advice = dmarc_uris.read(value)
    notes.problems += [f"{name}: {one}" for one in problems]
    notes.advice += [f"{name}: {one}" for one in advice]
    return uris


def _failures(found: Tags, notes: _Notes) -> tuple[str, ...]:
    value = found.first("fo")
    if value is None:
        return ()
    if "ruf" not in found.names:
        notes.advice.append("fo= counts for nothing without ruf=")
    given = tuple(word.lower() for word in tags.words(value))
    if not given or not _FAILURES.issuperset(given) or len(set(given)) < len(given) or {"0", "1"} <= set(given):
        notes.problems.append(f"fo={shown(value)[1:-1]} has to be one of 0 and 1, or d, or s, between colons: 0 counts")
        return ("0",)
    return given


def _oddities(text: str, found: Tags, notes: _Notes) -> None:
    """What is legal by one reading and not by another, or no longer."""
    if found.repeated:
        notes.problems.append(f"{found.repeated[0]}= is given more than once: receivers may drop the whole record")
    if text[:1] in tags.BLANKS:
        notes.advice.append("white space before v=, which some receivers do not pass over")
    if "p" in found.names[2:] and found.names[1] != "p":
        notes.advice.append("p= does not follow v= directly, as receivers that keep to RFC 7489 want it")
    written = tags.read(text).names
    notes.advice += [
        f"{name}= should be written {name.lower()}=: some receivers do not know it otherwise"
        for name in written
        if name != name.lower() and name.lower() in KNOWN
    ]
    notes.advice += [
        f"{name}={shown(value)[1:-1]} is obsolete since RFC 9989: {OBSOLETE[name]}"
        for name, value in found.pairs
        if name in OBSOLETE
    ]


def _weaknesses(record: DmarcRecord, found: Tags, notes: _Notes) -> None:
    if record.p and not record.rua and "rua" not in found.names:
        notes.advice.append("no rua=: nobody reports who sends in this name")
    if {record.p, record.sp, record.np} - {""} == {"none"} and not record.rua:
        notes.advice.append("p=none without reports changes nothing and tells nothing")
    if record.sp and _weaker(record.sp, record.p):
        notes.advice.append(f"sp={record.sp} is weaker than p={record.p}: subdomains stay open to forgery")
    if record.np and _weaker(record.np, record.sp or record.p):
        notes.advice.append(f"np={record.np} is weaker than the policy of names that exist: invented names are open")
    if record.testing and {record.p, record.sp, record.np} - {"", "none"}:
        notes.advice.append("t=y: receivers apply one level less than the record says")


def _weaker(one: str, other: str) -> bool:
    return other in POLICIES and POLICIES.index(one) < POLICIES.index(other)
