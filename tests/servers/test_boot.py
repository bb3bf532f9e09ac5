"""What a host told about the table it loads when it starts."""

from __future__ import annotations

import pytest

from gatepost.edge.host.hand import ROOT
from gatepost.model.architecture import Host
from gatepost.model.bundle import NOT_FOUND, Bundle, FileTaken, Ran
from gatepost.servers import boot
from gatepost.servers.asking import FIREWALL, questions
from gatepost.servers.boot import Start
from tests.enforcement.house import NAME, NOW

RULES = Ran(FIREWALL[0], 0, "{}")
SYSTEMD = FileTaken(boot.SYSTEMD, exists=True)
ONE, TWO = "1" * 64, "2" * 64
GONE = f"sha256sum: {boot.UNIT}: No such file or directory"
SHUT = f"sha256sum: {boot.RULES}: Permission denied\n{GONE}"


def bundle(*ran: Ran, files: tuple[FileTaken, ...] = ()) -> Bundle:
    return Bundle(NAME, NOW, "this machine", ran, files)


def digests(code: int, out: str, said: str = "") -> Ran:
    return Ran(boot.DIGESTS, code, out, said)


def test_the_backups_of_an_apply_are_where_the_unit_looks_for_them() -> None:
    assert boot.BACKUPS == ROOT


@pytest.mark.parametrize(
    ("told", "asked"),
    [
        (bundle(), set()),
        (bundle(Ran(FIREWALL[0], NOT_FOUND), files=(SYSTEMD,)), set()),
        (bundle(RULES), {boot.DIGESTS}),
        (bundle(RULES, files=(FileTaken(boot.SYSTEMD, exists=False),)), {boot.DIGESTS}),
        (bundle(RULES, files=(SYSTEMD,)), {boot.DIGESTS, boot.ENABLED}),
    ],
)
def test_it_is_asked_where_it_means_anything(told: Bundle, asked: set[tuple[str, ...]]) -> None:
    commands = questions(told, Host(NAME, (), ())).commands
    assert {boot.DIGESTS, boot.ENABLED} & set(commands) == asked


@pytest.mark.parametrize(
    ("ran", "seen"),
    [
        ((), None),
        ((Ran(boot.DIGESTS, NOT_FOUND),), None),
        ((Ran(boot.DIGESTS, 124, why="no end within the time allowed"),), None),
        ((digests(0, f"{ONE}  {boot.RULES}\n{TWO}  {boot.UNIT}\n"), Ran(boot.ENABLED, 0, "enabled\n")),
         Start(True, "enabled", ONE, TWO)),
        ((digests(1, f"{ONE} *{boot.RULES}\n", GONE), Ran(boot.ENABLED, 1, "masked\n")),
         Start(True, "masked", ONE, "")),
        ((digests(1, "", SHUT), Ran(boot.ENABLED, 1, "", "Failed to get unit file state")), Start(True, "", None, "")),
        ((digests(0, f"no digest  {boot.RULES}\n"),), Start(True, "", None, None)),
    ],
)  # fmt: skip
def test_what_is_there(ran: tuple[Ran, ...], seen: Start | None) -> None:
    assert boot.start(bundle(*ran, files=(SYSTEMD,))) == seen


def test_no_systemd() -> None:
    assert boot.start(bundle(digests(1, ""))) == Start(systemd=False)
