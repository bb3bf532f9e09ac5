"""The server settings as rows, and the versions they exist in."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from gatepost import catalogue
from gatepost.catalogue import document
from gatepost.catalogue.controls import control
from gatepost.catalogue.settings import EVERYWHERE, OUTWARD, Row, Safe, setting, setting_of, settings
from gatepost.catalogue.versions import Range, numbers, older, upstream
from gatepost.errors import UsageError

RAW = {raw["id"]: raw for raw in document("server_settings")["settings"]}


def test_there_are_45_of_postfix_and_33_of_dovecot() -> None:
    assert [sum(row.software == name for row in settings()) for name in ("postfix", "dovecot")] == [45, 33]
    assert len({row.id for row in settings()}) == len({row.check for row in settings()}) == 78


@pytest.mark.parametrize("row", settings(), ids=lambda row: row.id)
def test_a_row_serves_controls_and_promises_something(row: Row) -> None:
    assert all(control(name) for name in row.controls)
    assert row.promise[0].isupper()
    assert not row.promise.endswith(".")
    assert row.why
    assert row.source
    assert setting_of(row.check) is row
    assert setting(row.id) is row


@pytest.mark.parametrize("row", settings(), ids=lambda row: row.id)
def test_a_row_applies_to_ports_or_to_the_whole_server(row: Row) -> None:
    known = {str(port.number) for port in catalogue.ports()} | {EVERYWHERE, OUTWARD}
    assert set(row.applies_to) <= known or row.listener
    assert {port for port, _ in row.at} <= set(row.applies_to)


@pytest.mark.parametrize("row", settings(), ids=lambda row: row.id)
def test_what_mends_it_is_a_value_or_words_or_follows_from_the_declaration(row: Row) -> None:
    following = {"endpoints_within", "networks_within", "set_within", "tokens_exclude"}
    assert row.sets() is not None or row.mend or row.safe.op in following


@pytest.mark.parametrize("row", settings(), ids=lambda row: row.id)
def test_versions_are_understood(row: Row) -> None:
    ranges = [row.versions, *(part.versions for part in parts(row.safe) if part.versions)]
    assert all(re.fullmatch(r"(?:(?:>=|<)[\d.]+ ?)*", one.text) for one in ranges)
    assert all(numbers(version) for one in ranges for version in one.backports)


def parts(safe: Safe) -> Iterator[Safe]:
    yield safe
    for part in safe.of:
        yield from parts(part)


def test_every_operator_is_explained_in_the_file() -> None:
    told = {word for key in document("server_settings")["predicates"] for word in key.split("/")}
    used = {part.op for row in settings() for part in parts(row.safe)}
    assert {op for op in used if op not in told and not op.endswith("_unless_declared")} == set()


def test_an_unknown_row_is_the_users_mistake() -> None:
    assert setting_of("no_such_setting") is None
    with pytest.raises(UsageError, match="no setting is named 'nothing'"):
        setting("nothing")


def test_the_value_that_mends_follows_the_version() -> None:
    bare, floor = setting("postfix.smuggling.bare_newline"), setting("postfix.tls.protocols.mandatory")
    assert [bare.sets(v) for v in ("3.7.9", "3.7.11", "3.10.1")] == ["yes", "normalize", "normalize"]
    assert [floor.sets(v) for v in ("3.5.25", "3.7.11")] == ["!SSLv2, !SSLv3, !TLSv1, !TLSv1.1", ">=TLSv1.2"]


def test_the_value_that_mends_follows_the_port() -> None:
    wrapper = setting("postfix.tls.wrapper")
    assert [wrapper.sets("", port) for port in ("465", "587", "25")] == ["yes", "no", "no"]
    assert wrapper.safe_at("25").values == ("no",)


@pytest.mark.parametrize(
    ("version", "inside"),
    [("3.9.0", True), ("3.10", True), ("3.8.4", True), ("3.8.3", False), ("3.7.11", True), ("3.5.22", False),
     ("3.4.99", False), ("2.11", False), ("", True), ("snapshot", True)],
)  # fmt: skip
def test_patch_releases_of_older_branches_count(version: str, *, inside: bool) -> None:
    assert (version in setting("postfix.smuggling.bare_newline").versions) is inside


def test_a_range_has_two_ends() -> None:
    old = Range(">=2.0 <2.4")
    assert [v in old for v in ("1.2", "2.0", "2.3.21.1", "2.4.0", "2.4")] == [False, True, True, False, False]


@pytest.mark.parametrize(
    ("one", "other"),
    [("3.7.9-0+deb12u1", "3.7.11-0+deb12u1"), ("1:2.3.19.1+dfsg1-2.1+deb12u1", "1:2.3.19.1+dfsg1-2.1+deb12u7"),
     ("2.3", "1:1.0"), ("4.96~rc1-1", "4.96-1"), ("4.96-15+deb12u4", "4.96-15+deb12u10"), ("1.0-1", "1.0-1+b1"),
     ("1.0a", "1.0+1"), ("1.0", "1.0-1"), ("1.0~~", "1.0~")],
)  # fmt: skip
def test_package_versions_sort_as_dpkg_sorts_them(one: str, other: str) -> None:
    assert older(one, other)
    assert not older(other, one)
    assert dpkg(one, other)


def dpkg(one: str, other: str) -> bool:
    """Its own opinion, where there is one."""
    if not shutil.which("dpkg"):
        return True
    return subprocess.run(["dpkg", "--compare-versions", one, "lt", other], check=False).returncode == 0


def test_the_makers_version_is_inside_a_packages() -> None:
    assert upstream("1:2.3.19.1+dfsg1-2.1+deb12u1") == "2.3.19.1"
    assert upstream("3.7.11-0+deb12u1") == "3.7.11"
    assert upstream("nonsense") == ""
