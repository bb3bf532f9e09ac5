"""What a rollback has to bring back on a realm's host: configuration byte for byte, and all firewall rules."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from lab.places import program
from lab.realm.ground import HOST
from lab.realm.host import Realm

RULES = "rules of the firewall"


def snapshot(realm: Realm) -> dict[str, str]:
    """By file: its permissions, owner and a digest of its text; the rules without their counters, as text."""
    return {str(path.relative_to(realm.home)): _state(path) for path in _configuration(realm)} | {RULES: rules(realm)}


def rules(realm: Realm, *table: str) -> str:
    """Every table of the host, or one."""
    what = ("table", *table) if table else ("ruleset",)
    return realm.run(HOST, program("nft"), "--stateless", "list", *what).stdout


def changed(before: dict[str, str], after: dict[str, str]) -> tuple[str, ...]:
    """What differs, new and lost files included."""
    return tuple(sorted(name for name in {*before, *after} if before.get(name) != after.get(name)))


def _configuration(realm: Realm) -> Iterator[Path]:
    yield from (path for path in (realm.home / "postfix" / "config").rglob("*") if path.is_file())
    yield from realm.dovecot_conf.parent.glob("*.conf")
    yield from (path for path in (realm.dovecot_conf.parent / "conf.d").rglob("*") if path.is_file())
    yield from (realm.home / "papers").iterdir()


def _state(path: Path) -> str:
    told = path.stat()
    return f"{told.st_mode:o} {told.st_uid}:{told.st_gid} {hashlib.sha256(path.read_bytes()).hexdigest()}"
