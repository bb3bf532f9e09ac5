"""The facts gatepost ships: ports, controls, TLS profiles, server settings, TLS registries.

Each file is read once, on first use, so that `gatepost --help` reads none of them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources
from typing import Any

from gatepost.errors import UsageError

Raw = dict[str, Any]  # parsed JSON: shaped by the functions below


@cache
def document(name: str) -> Raw:
    """One file of `catalogue/data` as plain data."""
    text = resources.files("gatepost.catalogue").joinpath("data", f"{name}.json").read_text(encoding="utf-8")
    loaded: Raw = json.loads(text)
    return loaded


@dataclass(frozen=True, slots=True)
class Port:
    """A row of the port catalogue. `duty` is the role whose rules a listener here falls under."""

    id: str
    number: int
    transport: str
    protocol: str
    duty: str
    mode: str
    speaks_first: str
    auth: str
    lifecycle: str
    exposure: str
    posture: str
    successor: str | None
    role: str
    notes: str
    srv: str | None
    verified: bool


@cache
def ports() -> tuple[Port, ...]:
    return tuple(
        Port(
            id=row["id"],
            number=row["port"],
            transport=row["transport"],
            protocol=row["protocol"],
            duty=row["duty"],
            mode=row["mode"],
            speaks_first=row["speaks_first"],
            auth=row["auth"],
            lifecycle=row["lifecycle"],
            exposure=row["exposure"],
            posture=row["posture"],
            successor=row["successor"],
            role=row["role"],
            notes=row["notes"],
            srv=row.get("dns", {}).get("srv"),
            verified=row["verified"],
        )
        for row in document("ports")["ports"]
    )


def port(name: str) -> Port | None:
    return next((p for p in ports() if p.id == name), None)


def row(name: str) -> Port:
    """A row that the code itself names: one that is missing is a defect."""
    return {p.id: p for p in ports()}[name]


def number(name: str) -> int:
    """The usual port of a service that the code itself names."""
    return row(name).number


def port_numbered(number: int) -> Port | None:
    """The usual service behind a TCP port; where two rows share it, the current one (465: submissions)."""
    rows = [p for p in ports() if p.number == number and "tcp" in p.transport]
    return min(rows, key=lambda p: p.lifecycle != "current") if rows else None


@dataclass(frozen=True, slots=True)
class Profile:
    """A TLS profile; statuses are required, recommended, sufficient, phase_out, insufficient, not_listed."""

    name: str
    title: str
    raw: Raw

    def version(self, name: str) -> str:
        return str(self.raw["versions"].get(name, "not_listed"))

    def suite(self, name: str) -> str:
        """Exact name, then the first matching pattern, then the default of the profile."""
        for status, names in self.raw["suites"].items():
            if name in names:
                return str(status)
        for rule in self.raw.get("suite_rules", []):
            if fnmatchcase(name, rule["match"]):
                return str(rule["status"])
        return str(self.raw["suites_default"])

    def group(self, name: str) -> str:
        return _graded(self.raw["groups"], name, str(self.raw["groups_default"]))

    def signature(self, name: str) -> str:
        return _graded(self.raw["signatures"], name, str(self.raw["signatures_default"]))

    def key(self, kind: str) -> Raw:
        """The rules for rsa, ecdsa, eddsa, dh or hash; empty when the profile has none."""
        found: Raw = self.raw["keys"].get(kind, {})
        return found

    def feature(self, name: str) -> Raw:
        found: Raw = self.raw["features"].get(name, {})
        return found


def _graded(table: Raw, name: str, default: str) -> str:
    for status, names in table.items():
        if name in names:
            return "required" if status == "required_any" else str(status)
    return default


def profile_names() -> tuple[str, ...]:
    return tuple(document("tls_profiles")["profiles"])


@cache
def profile(name: str) -> Profile:
    """Raises UsageError for a name that is not in the catalogue."""
    known = document("tls_profiles")["profiles"]
    if name not in known:
        raise UsageError(f"no TLS profile named {name!r}; known: {', '.join(known)}")
    return Profile(name, str(known[name]["title"]), known[name])
