"""Taking a service out of the declaration's text."""

from __future__ import annotations

import tomllib
from datetime import date

import pytest

from gatepost.declare import read
from gatepost.model.architecture import Architecture
from gatepost.retiring.declaring import without

TODAY = date(2026, 11, 24)
LISTS = [
    'services = [\n  "smtp",\n  "pop3s",  # the old one\n  "imaps",\n]\n',
    'services = [\n  "smtp",\n  "imaps",\n  "pop3s"\n]\n',
    'services = ["smtp", "pop3s", "imaps"]\n',
    'services = ["smtp", "imaps", "pop3s"]\n',
    'services = ["pop3s", "smtp", "imaps"]\n',
    'services = [\n  "smtp",\n  "imaps",\n  { name = "pop3s", owner = "a", until = 2027-01-01, reason = "b, c" },\n]\n',
]


def _read(text: str) -> Architecture:
    return read(text, "gatepost.toml", today=TODAY)


@pytest.mark.parametrize("services", LISTS)
def test_takes_out_one_service_and_nothing_else(services: str) -> None:
    text = f'version = 1\n[hosts."mx1.example.org"]\naddresses = ["192.0.2.1"]\n{services}'
    host = _read(text).hosts[0]
    old = next(one for one in host.services if one.name == "pop3s")
    shorter = without(text, old)
    assert shorter is not None
    assert [one.name for one in _read(shorter).hosts[0].services] == ["smtp", "imaps"]


def test_the_last_one_leaves_an_empty_list() -> None:
    text = 'version = 1\n[hosts."mx1.example.org"]\naddresses = ["192.0.2.1"]\nservices = ["pop3s"]\n'
    shorter = without(text, _read(text).hosts[0].services[0])
    assert shorter is not None
    assert tomllib.loads(shorter)["hosts"]["mx1.example.org"]["services"] == []


def test_gives_up_where_words_do_not_tell() -> None:
    services = '[{ name = "pop3s", port = 995 }, "smtp"]'
    text = f'version = 1\n[hosts."mx1.example.org"]\naddresses = ["192.0.2.1"]\nservices = {services}\n'
    assert without(text, _read(text).hosts[0].services[0]) is None
