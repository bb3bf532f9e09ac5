"""The probe agent on loopback, and its results read back: whole or not at all."""

from __future__ import annotations

import ast
import json
import socket
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.edge.host import agent
from gatepost.edge.host.reaching import Job, ask, canaries, load, opened, read, script, unanswered
from gatepost.edge.host.runner import Prefixed
from gatepost.errors import CannotLook, UsageError
from gatepost.model.architecture import Endpoint
from gatepost.model.rules import Reach

NAME, HERE = "mx1.example.org", "127.0.0.1"
NOW = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
LOCAL = Prefixed("this machine")


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server((HERE, 0)) as listener:
        yield listener


@pytest.fixture
def unused() -> int:
    with socket.create_server((HERE, 0)) as taken:
        return int(taken.getsockname()[1])


def at(port: int) -> Endpoint:
    return Endpoint(NAME, HERE, port)


def port_of(server: socket.socket) -> int:
    return int(server.getsockname()[1])


def lines(*results: dict[str, object], head: dict[str, object] | None = None, end: int | None = None) -> str:
    start = {"schema": "gatepost/reach/1", "vantage": "office", "zone": "office", "taken_at": "2026-11-24T06:30:00Z"}
    whole = [start | {"targets": len(results)} | (head or {}), *results, {"end": len(results) if end is None else end}]
    return "".join(f"{json.dumps(line)}\n" for line in whole)


def line(port: int, result: str, **more: object) -> dict[str, object]:
    return {"host": NAME, "address": "192.0.2.5", "port": port, "result": result, "source": "198.51.100.7"} | more


def test_it_is_one_file_of_the_standard_library_for_old_pythons() -> None:
    tree = ast.parse(Path(agent.__file__).read_text(), feature_version=(3, 8))
    imported = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    imported |= {str(n.module) for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in imported} <= sys.stdlib_module_names


def test_what_is_reached_and_what_is_refused(server: socket.socket, unused: int) -> None:
    told = read(ask(LOCAL, Job("office", "office", (at(port_of(server)), at(unused)))), "office.jsonl")
    assert [(r.at, r.result, r.source, r.vantage, r.zone) for r in told.seen] == [
        (at(port_of(server)), Reach.REACHED, HERE, "office", "office"),
        (at(unused), Reach.REFUSED, HERE, "office", "office"),
    ]


def test_a_greeting_is_only_waited_for_when_asked(server: socket.socket) -> None:
    quiet = agent.attempt(HERE, port_of(server), 0.2)
    assert "greeting" not in quiet
    assert quiet["ms"] < 200
    assert agent.attempt(HERE, port_of(server), 0.2, greeting=True)["greeting"] == ""


def test_an_address_without_a_way_there_and_one_that_is_none() -> None:
    assert agent.attempt("bogus", 25, 0.5)["result"] == "unknown"
    assert agent.attempt(HERE, 0x1FFFF, 0.5)["result"] == "unknown"


def test_the_script_carries_its_targets_whatever_is_in_them() -> None:
    odd = Job('it\'s "quoted"\\', "", (Endpoint("a'b\"c\\", HERE, 1),))
    made = script(odd)
    compile(made, "reach.py", "exec")
    told = read(ask(LOCAL, odd), "odd")
    assert (told.vantage, told.seen[0].at.host) == ('it\'s "quoted"\\', "a'b\"c\\")


def test_a_script_copied_by_hand_writes_the_same_file(server: socket.socket, tmp_path: Path) -> None:
    copied, out = tmp_path / "reach.py", tmp_path / "office.jsonl"
    copied.write_text(script(Job("office", "office", (at(port_of(server)),))))
    assert LOCAL.run((sys.executable, str(copied), "-o", str(out))).ok
    assert [r.result for r in load(out)] == [Reach.REACHED]


def test_targets_may_come_from_a_file(server: socket.socket, tmp_path: Path) -> None:
    asked = tmp_path / "targets.json"
    asked.write_text(json.dumps({"targets": [[NAME, HERE, port_of(server)]]}))
    told = LOCAL.run((sys.executable, agent.__file__, str(asked)))
    assert read(told.stdout, "x").seen[0].result is Reach.REACHED
    assert "no targets" in LOCAL.run((sys.executable, agent.__file__)).stderr
    assert LOCAL.run((sys.executable, agent.__file__, str(tmp_path / "none"))).code == 2


def test_who_answers_for_every_port_has_told_nothing(server: socket.socket, unused: int) -> None:
    job = Job("office", "", (at(port_of(server)), at(unused)), canaries=(at(port_of(server)),))
    told = read(ask(LOCAL, job), "office")
    assert [r.result for r in told.seen] == [Reach.UNKNOWN, Reach.REFUSED]
    assert "answers for every port" in told.seen[0].detail


def test_canaries_stand_where_nobody_registers_and_never_on_a_target() -> None:
    everywhere = tuple(at(port) for port in range(49152, 65535))
    assert canaries(everywhere) == (at(65535),)
    one = canaries((at(25), Endpoint(NAME, "::1", 25)))
    assert {(c.address, c.port > 49151) for c in one} == {(HERE, True), ("::1", True)}


def test_a_machine_without_python_and_one_that_is_not_there() -> None:
    job = Job("office", "office", (at(25),))
    with pytest.raises(CannotLook, match="no-such-shell is not installed"):
        ask(Prefixed("office", ("no-such-shell",)), job)
    with pytest.raises(CannotLook, match="exit status 1"):
        ask(Prefixed("office", ("false",)), job)


def test_an_unusable_vantage_leaves_a_file_that_knows_nothing() -> None:
    told = read(unanswered(Job("office", "office", (at(25), at(587))), "no way there", NOW), "x")
    assert {(r.result, r.detail) for r in told.seen} == {(Reach.UNKNOWN, "no way there")}
    assert told.taken_at == NOW


def test_what_was_said_is_kept() -> None:
    told = read(lines(line(25, "reached", greeting="220 hi"), line(26, "rejected", detail="no route to host")), "x")
    assert [r.detail for r in told.seen] == ["220 hi", "no route to host"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "x: empty"),
        ("hello", "line 1: not JSON"),
        ("[]", "line 1: expected an object, got a list"),
        (lines(head={"schema": "other/1"}), "line 1: expected the schema 'gatepost/reach/1'"),
        (lines(line(25, "reached")).rpartition('{"end"')[0], "cut off after 1 of 1 results; probe again"),
        (lines(line(25, "reached"), end=7), "1 results do not fit its last line"),
        (lines(line(25, "eaten")), "line 2: result: expected one of no-route, reached"),
        (lines(line(0, "reached")), "line 2: mx1.example.org:0 is no place to connect to"),
        (lines(line(25, "reached", address="mx1")), "line 2: 'mx1' does not appear to be an IPv4 or IPv6 address"),
        (lines(line(25, "reached", source="me")), "line 2: 'me' does not appear"),
        (lines(line(25, "reached", detail="x" * 500)), "line 2: a text is too long"),
        (lines(line(25, "reached", ms="fast")), "line 2: ms: expected a number"),
        ("[" * 100000, "line 1: not JSON"),
    ],
)
def test_what_is_no_result_is_refused_in_one_sentence(text: str, complaint: str) -> None:
    with pytest.raises(UsageError) as error:
        read(text, "x")
    assert complaint in str(error.value)
    assert "\n" not in str(error.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        load(tmp_path / "none")
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="not UTF-8"):
        load(binary)


def test_a_file_written_by_powershell_is_read(tmp_path: Path) -> None:
    marked = tmp_path / "office.jsonl"
    marked.write_text(lines(line(25, "reached")), encoding="utf-8-sig")
    assert opened(marked).vantage == "office"


@given(
    st.text(max_size=400)
    | st.builds(lambda cut: lines(line(25, "reached"), line(26, "silent"))[:cut], st.integers(0, 500))
)
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        told = read(text, "x")
    except UsageError:
        return
    assert len(told.seen) == 2
