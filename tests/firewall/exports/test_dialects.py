"""One suite for every dialect: read back it is the matrix; and a file each, to be read by people."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import given, settings

from gatepost.errors import UsageError
from gatepost.firewall.exports import DIALECTS, Admitted, Dialect, admitted
from gatepost.firewall.exports.posture import described, identifier
from gatepost.firewall.matrix import matrix, without
from gatepost.model.architecture import Architecture, Host
from gatepost.model.flows import Flow, Matrix
from tests.firewall.estate import architectures, estate

DATA = Path(__file__).parent / "data"
EACH = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda one: one.name)
JSON = {"aws", "azure", "gcp"}


def wanted(dialect: Dialect, whole: Matrix, host: Host) -> frozenset[Admitted]:
    return frozenset(one for one in admitted(whole, host) if dialect.family in {0, one[2]})


@EACH
@settings(max_examples=25, deadline=None)
@given(architecture=architectures())
def test_read_back_it_is_the_matrix(dialect: Dialect, architecture: Architecture) -> None:
    whole = matrix(architecture)
    for host in architecture.hosts:
        assert dialect.read(dialect.render(whole, host)) == wanted(dialect, whole, host)


@EACH
@settings(max_examples=10, deadline=None)
@given(architecture=architectures())
def test_lines_hold_what_they_should(dialect: Dialect, architecture: Architecture) -> None:
    """No name or reason of the declaration begins a line, a rule or an expression of its own."""
    whole = matrix(architecture)
    for host in architecture.hosts:
        text = dialect.render(whole, host)
        assert all(line.isprintable() for line in text.split("\n"))
        if dialect.name in JSON:
            variables = set(re.findall(r"\$\{([^}]*)\}", text))
            assert all(re.fullmatch(r"var\.\w+|aws\w+\.\w+\.id|azurerm\w+\.\w+\.name", one) for one in variables)


@EACH
@pytest.mark.parametrize("which", [0, 1], ids=["relay", "store"])
def test_as_kept(dialect: Dialect, which: int) -> None:
    """`GATEPOST_GOLDEN=write` writes them anew, to be read in the diff."""
    host = estate().hosts[which]
    made = dialect.render(matrix(estate()), host)
    path = DATA / f"{host.name.partition('.')[0]}.{dialect.name}"
    if os.environ.get("GATEPOST_GOLDEN") == "write":
        path.write_text(made, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == made


@EACH
def test_a_port_taken_out_of_the_matrix_is_closed(dialect: Dialect) -> None:
    host = estate().hosts[0]
    shut = without(matrix(estate()), host.name, (25, 465))
    assert {port for _, port, _ in dialect.read(dialect.render(shut, host))} <= {22, 110, 993}


@EACH
def test_nobody_is_named_and_nobody_comes(dialect: Dialect) -> None:
    """A list that is empty in a family opens nothing there."""
    host = Host("mx", ("2001:db8::1",), (), management=("192.0.2.0/24",))
    whole = matrix(Architecture(hosts=(host,)))
    assert dialect.read(dialect.render(whole, host)) == frozenset()


@EACH
def test_what_differs_between_addresses_is_not_widened(dialect: Dialect) -> None:
    host = Host("mx", ("192.0.2.1", "192.0.2.2"), ())
    office, admin = estate().zones[1].networks[:1], estate().zones[2].networks
    flows = (Flow("mx/imaps", "mx", "192.0.2.1", 993, office), Flow("mx/imaps", "mx", "192.0.2.2", 993, admin))
    with pytest.raises(UsageError, match="mx: port 993 differs between its addresses"):
        dialect.render(Matrix(flows), host)


def rules(name: str, which: int) -> dict[str, dict[str, object]]:
    (dialect,) = (one for one in DIALECTS if one.name == name)
    resources = json.loads(dialect.render(matrix(estate()), estate().hosts[which]))["resource"]
    return {key: rule for kind in resources.values() for key, rule in kind.items()}


def test_priorities_of_azure_are_unique_per_direction() -> None:
    for which in range(3):
        found = [(r["direction"], r["priority"]) for r in rules("azure", which).values() if "priority" in r]
        assert len(found) == len(set(found))


def test_the_cloud_closes_what_a_group_of_its_own_would_leave_open() -> None:
    denied = [r for r in rules("gcp", 0).values() if r["direction"] == "INGRESS" and "deny" in r]
    assert {r["source_ranges"][0] for r in denied} == {"0.0.0.0/0", "::/0"}  # type: ignore[index] # JSON
    assert any(r.get("priority") == 4096 and r["access"] == "Deny" for r in rules("azure", 0).values() if "access" in r)


def test_a_group_says_when_it_is_too_large() -> None:
    (aws,) = (one for one in DIALECTS if one.name == "aws")
    listed = ", ".join(f'"10.{n}.0.0/24"' for n in range(61))
    whole = estate(f'version = 1\n[zones]\nmany = [{listed}]\n[hosts.mx]\naddresses = ["192.0.2.1"]\n'
                   'services = [{ name = "imaps", from = ["many"] }]\n')  # fmt: skip
    notes = json.loads(aws.render(matrix(whole), whole.hosts[0]))["//"]
    assert any("65 rules; a group holds 60" in note for note in notes)


def test_names_stay_apart() -> None:
    words = ["office", "Office", "off-ice", "off_ice", "büro", "9", "", "x" * 90, "x" * 91, "mx1.example.org"]
    for joint in "_-":
        names = [identifier(word, 63, joint) for word in words]
        assert len(set(names)) == len(names)
        assert all(re.fullmatch(rf"[a-z][a-z0-9{joint}]{{0,62}}", name) for name in names)
    assert described('a\nb${x}"', 50) == "a-b--x--"
    assert len(described("x" * 300, 255)) == 255
