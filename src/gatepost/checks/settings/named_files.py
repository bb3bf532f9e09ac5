"""Certificate and key files of a host, as they were seen on its disk."""

from __future__ import annotations

from collections.abc import Iterator

from gatepost.catalogue.settings import Safe
from gatepost.checks.case import Case
from gatepost.checks.inside_seen import here
from gatepost.checks.settings.answer import HOLDS, Answer, all_of, cannot_tell, fails
from gatepost.checks.settings.spots import Asked
from gatepost.model.host import FileSeen, SettingSeen
from gatepost.model.observation import Unobserved, of
from gatepost.servers.wordlists import words

_NONE = "none"  # Postfix: no certificate, on purpose


def files(case: Case, *purposes: str) -> list[FileSeen]:
    return [one for one in of(FileSeen, case.seen, here(case)) if one.purpose in purposes]


def file_exists(seen: SettingSeen, safe: Safe, asked: Asked) -> Answer:
    """The setting names a file, and it is there; so is the one it goes with."""
    if not seen.value.strip() or seen.value.strip().lower() == _NONE:
        return fails("it has to name a file")
    return all_of([_there(seen, asked), *_beside(safe, asked)])


def file_reference(seen: SettingSeen, safe: Safe, asked: Asked) -> Answer:
    """Dovecot 2.3: without `<` the path itself is taken for the contents."""
    if seen.value.strip() and not seen.value.strip().startswith("<"):
        return fails("it has to be written <path, or the path is taken for a certificate")
    return file_exists(seen, safe, asked)


def _beside(safe: Safe, asked: Asked) -> Iterator[Answer]:
    other = asked.seen(safe.file) if safe.file else None
    if other is not None and other.value.strip():
        yield _there(other, asked)


def _there(seen: SettingSeen, asked: Asked) -> Answer:
    return all_of(_found(asked.case, path.removeprefix("<")) for path in words(seen.value))


def _found(case: Case, path: str) -> Answer:
    found = next((one for one in of(FileSeen, case.seen, here(case)) if one.path == path), None)
    if found is not None:
        return HOLDS if found.exists else fails(f"{path} does not exist")
    lost = (one for one in of(Unobserved, case.seen, here(case)) if one.wanted == f"file {path}")
    why = next((one.detail for one in lost), "it was not looked at")
    return cannot_tell(f"{path}: {why}")
