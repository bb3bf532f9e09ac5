"""`gatepost firewall` from the command line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from gatepost.firewall.exports import DIALECTS
from gatepost.firewall.matrix import matrix
from gatepost.firewall.render import transaction
from tests.cli.conftest import Gatepost
from tests.firewall.estate import TOML, estate

HOST = "mx1.example.org"


@pytest.fixture
def declared(tmp_path: Path) -> str:
    path = tmp_path / "gatepost.toml"
    path.write_text(TOML)
    return str(path)


def test_the_table(gatepost: Gatepost, declared: str) -> None:
    said = gatepost("firewall", "-c", declared)
    assert said.code == 0
    heads = [line.split()[0] for line in said.out.splitlines() if " · " in line or line.endswith("10.8.0.7")]
    assert heads[0] == "mx1.example.org"
    assert {"store.example.org", "web.example.org"} <= set(heads)
    assert re.search(r"   993  imaps +office, servers  10.8.0.0", said.out)
    only = gatepost("firewall", "MX1.example.org.", "-c", declared).out
    assert "store.example.org" not in only.partition("out")[0]


def test_json(gatepost: Gatepost, declared: str, tmp_path: Path) -> None:
    told = json.loads(gatepost("firewall", "-c", declared, "--format", "json").out)
    assert [host["host"] for host in told["hosts"]] == [host.name for host in estate().hosts]
    assert "forbidden" not in told
    target = tmp_path / "x.json"
    assert gatepost("firewall", HOST, "-c", declared, "--forbidden", "-o", str(target)).code == 0
    assert {row["zone"] for row in json.loads(target.read_text())["forbidden"]} == {"office", "admin", "servers"}


def test_forbidden(gatepost: Gatepost, declared: str) -> None:
    out = gatepost("firewall", "-c", declared, "--forbidden").out
    assert "office   must not reach\n  mx1.example.org     22 ssh, 11332 rspamd-proxy\n" in out


def test_rules_are_printed_as_they_are_loaded(gatepost: Gatepost, declared: str) -> None:
    whole = estate()
    said = gatepost("firewall", HOST, "-c", declared, "--render", "nft")
    assert json.loads(said.out) == transaction(matrix(whole), whole.hosts[0], whole)
    assert said.err == (
        "note: nobody reaches ssh (22) over IPv6: there is no IPv6 network in admin\n"
        "note: to load them on mx1.example.org: nft -j -f FILE (nft -j -c -f FILE only tries them)\n"
        "note: the kernel forgets rules when mx1.example.org restarts: gatepost apply keeps them in its "
        "/etc/gatepost-firewall.json as well\n"
    )
    for dialect in DIALECTS:
        out = gatepost("firewall", HOST, "-c", declared, "--render", dialect.name).out
        assert out == dialect.render(matrix(whole), whole.hosts[0])


def test_an_emergency(gatepost: Gatepost, declared: str) -> None:
    whole = estate()
    said = gatepost("firewall", HOST, "-c", declared, "--render", "nft", "--blocks", "submissions, 993")
    rules = json.dumps(json.loads(said.out))
    assert "shut in an emergency" in rules
    assert "open again once mx1.example.org restarts, unless these rules are in its /etc/gatepost-f" in said.err
    assert f"{HOST}/imaps" not in rules
    opened = gatepost("firewall", HOST, "-c", declared, "--render", "nft").out
    assert json.loads(opened) == transaction(matrix(whole), whole.hosts[0], whole)
    said = gatepost("firewall", HOST, "-c", declared, "--blocks", "pop3, 993")
    assert "let in to from nowhere: 110 pop3, 993 imaps, 11332 rspamd-proxy" in said.out
    assert said.err == (
        "note: nothing is shut by this; to do it, on mx1.example.org: "
        f"gatepost firewall {HOST} -c {declared} --blocks 'pop3, 993' --render nft | nft -j -f -\n"
        "note: that loads the table shown here, whole; nft delete table inet gatepost takes it away again\n"
    )


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("mx1.exampl.org",), '"mx1.exampl.org" is no declared host; did you mean "mx1.example.org"?'),
        (("elsewhere.test",), '"elsewhere.test" is no declared host; declared: mx1.example.org'),
        (("--render", "nft"), "--render is about one host: name it (mx1.example.org, store.example.org, web.example"),
        (("--blocks", "25"), "--blocks is about one host: name it"),
        ((HOST, "--blocks", "25,x"), '--blocks: "x" is no port and no service of mx1.example.org'),
        ((HOST, "--blocks", "99999"), '--blocks: "99999" is no port'),
        ((HOST, "--blocks", "22"), "mx1.example.org: port 22 is where operators log in; shutting it locks them out"),
        ((HOST, "--render", "pf", "--forbidden"), "--render prints rules as they are loaded; leave --forbidden"),
        (("-c", "/nowhere"), "/nowhere: no such file"),
        (("-c", "/dev/null"), "there is no gatepost.toml here: who may reach what is read from [hosts] and [zones]"),
        ((HOST, "-o", "/nowhere/x"), "/nowhere/x: no such file or directory"),
    ],
)
def test_bad_input(gatepost: Gatepost, declared: str, more: tuple[str, ...], said: str) -> None:
    result = gatepost("firewall", "-c", declared, *more)
    assert (result.code, result.out) == (2, "")
    assert said in result.err
