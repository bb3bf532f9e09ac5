"""Which resolver a look has, whether it is believed, and what it is worth asking."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatepost.cli.names import Names, chosen
from gatepost.cli.request import Request
from gatepost.model.architecture import Architecture

DECLARED = Architecture(resolver="192.0.2.53#5353", resolver_trusted=True)


@pytest.mark.parametrize(
    ("request_", "architecture", "where", "trusted"),
    [
        (Request(), Architecture(), None, False),
        (Request(), DECLARED, "192.0.2.53#5353", True),
        (Request(resolver="198.51.100.53"), DECLARED, "198.51.100.53", False),  # trust was in another one
        (Request(resolver="198.51.100.53", trust_resolver=True), Architecture(), "198.51.100.53", True),
    ],
)
def test_the_command_line_goes_before_the_declaration(
    request_: Request, architecture: Architecture, where: str | None, *, trusted: bool
) -> None:
    names = Names(request_, architecture)
    assert (names.where, names.trusted, names.doubt) == (where, trusted, "")


@pytest.mark.parametrize("name", ["mail.lab.test", "a.example", "x.localhost", "abc.onion", "127.0.0.25", "::1"])
def test_what_no_public_resolver_knows_is_asked_of_a_named_one_only(name: str) -> None:
    assert not Names(Request(), Architecture()).worth(name)
    assert Names(Request(resolver="127.0.0.1"), Architecture()).worth(name)


@pytest.mark.parametrize("name", ["example.org", "192.0.2.25", "test.example.org"])
def test_everything_else_is_asked(name: str) -> None:
    assert Names(Request(), Architecture()).worth(name)


def test_the_declared_resolver_serves_every_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gatepost.toml").write_text('version = 1\n[dns]\nresolver = "127.0.0.1#5353"\n')
    assert chosen(None).where == "the resolver 127.0.0.1#5353"
    assert chosen("127.0.0.1#5354").where == "the resolver 127.0.0.1#5354"
