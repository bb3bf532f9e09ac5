"""Key files that others can read: the bits go that let them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gatepost.enforcement.observed import Inside
from gatepost.enforcement.shares import Share
from gatepost.model.finding import Finding
from gatepost.model.host import FileSeen
from gatepost.model.plan import Act, Kind, Step

KEPT = 0o600
PRIVATE = "key"
_IS = 'test "$(stat -c "%a %U" -- "$1")" = "$2"'


def shares(inside: Inside, findings: Iterable[Finding]) -> Iterator[Share]:
    """For what a finding blames: a key that nobody complains about is kept as it is.

    Where no key was read it may be anything, a directory too, and nothing is shut.
    """
    blamed = {one.path: one for finding in findings for one in finding.evidence if isinstance(one, FileSeen)}
    for one in blamed.values():
        if (
            one.exists
            and one.public
            and one.purpose == PRIVATE
            and (one.mode & ~0o700 or one.owner not in {"", "root"})
        ):
            told = tuple(f for f in findings if any(getattr(e, "path", "") == one.path for e in f.evidence))
            yield Share(_step(inside, one, told), rows=frozenset(f.id for f in told))


def _step(inside: Inside, one: FileSeen, findings: tuple[Finding, ...]) -> Step:
    mode = one.mode & KEPT
    theirs = one.owner not in {"", "root"}
    acts = (*([Act(("chown", "root", "--", one.path))] if theirs else []), Act(("chmod", f"{mode:o}", "--", one.path)))
    undo = (Act(("chmod", f"{one.mode:o}", "--", one.path)),
            *([Act(("chown", one.owner, "--", one.path))] if theirs else []))  # fmt: skip
    return Step(
        key=f"key:{one.path}",
        host=inside.host.name,
        kind=_kind(one),
        title=f"let only root read the key {one.path}",
        controls=tuple(dict.fromkeys(f.control for f in findings)),
        why=f"{one.path} has mode {one.mode:04o} and belongs to {one.owner or 'root'}:{one.group or 'root'}. "
        "Whoever can read the key can be this server.",
        risk="Programs that read the key as another user cannot any more; Postfix and Dovecot read it as root.",
        diff=f"--- {one.path}\n+++ {one.path}\n-{_listed(one.mode, one.owner)}\n+{_listed(mode, 'root')}\n",
        acts=acts,
        undo=undo,
        already=(Act(("sh", "-c", _IS, "gatepost", one.path, f"{mode:o} root")),),
    )


def _kind(one: FileSeen) -> Kind:
    used = {name.partition("_")[0] for name in one.used_by}
    return Kind.POSTFIX if used & {"smtp", "smtpd"} else Kind.DOVECOT if "ssl" in used else Kind.SERVICE


def _listed(mode: int, owner: str) -> str:
    return f"{mode:04o} {owner or 'root'}"
