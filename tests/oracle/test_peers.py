"""The inventory beside other auditors at the same port: whatever one of them sees accepted, we list."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from gatepost.catalogue.tls import suite, suite_name
from tests.oracle import openssl
from tests.oracle.looking import Look, listing

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(bool(openssl.why_not()), reason=openssl.why_not() or "runs"),
]

PATIENT = 240  # seconds: the peers take their time
SSLYZE_VERSIONS = {"tls_1_0": "TLSv1.0", "tls_1_1": "TLSv1.1", "tls_1_2": "TLSv1.2", "tls_1_3": "TLSv1.3"}
OPTIONS = ["-cipher", "HIGH:!PSK:!SRP:!DHE:!aNULL:@SECLEVEL=0"]


def _program(name: str) -> str:
    """A peer on the path, or named by GATEPOST_<NAME>: sslyze pins libraries, so it lives elsewhere."""
    found = os.environ.get(f"GATEPOST_{name.upper()}") or shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed (or name it in GATEPOST_{name.upper()})")
    return found


@pytest.fixture(scope="module")
def rsa(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return openssl.make_keys(tmp_path_factory.mktemp("keys"))["rsa"]


@pytest.mark.timeout(PATIENT)
def test_sslyze_sees_nothing_more(rsa: list[str], tmp_path: Path) -> None:
    sslyze = _program("sslyze")
    with openssl.server(tmp_path, *rsa, *OPTIONS) as port:
        look = listing(port)
        out = tmp_path / "sslyze.json"
        subprocess.run([sslyze, f"127.0.0.1:{port}", "--slow_connection", f"--json_out={out}"], check=False)
    seen = json.loads(out.read_text())["server_scan_results"][0]["scan_result"]
    for word, version in SSLYZE_VERSIONS.items():
        accepted = seen[f"{word}_cipher_suites"]["result"]["accepted_cipher_suites"]
        _nothing_missed({one["cipher_suite"]["name"] for one in accepted}, look, version)
    curves = {one["name"].lower() for one in seen["elliptic_curves"]["result"]["supported_curves"]}
    ours = {*look.listed("groups", "TLSv1.2").names, *look.listed("groups", "TLSv1.3").names}
    assert curves - ours == set()


@pytest.mark.timeout(PATIENT)
def test_sslscan_sees_nothing_more(rsa: list[str], tmp_path: Path) -> None:
    root, look = _sslscan(rsa, tmp_path)
    seen: dict[str, set[str]] = {}
    for cipher in root.iter("cipher"):
        seen.setdefault(cipher.get("sslversion", ""), set()).add(suite_name(int(cipher.get("id", "0"), 16)))
    for version, names in seen.items():
        _nothing_missed(names, look, version)
    for group in root.iter("group"):
        assert re.split(r"[ (]", group.get("name", ""))[0] in look.listed("groups", group.get("sslversion", "")).names
    for scheme in root.iter("connection-signature-algorithm"):
        if scheme.get("sslversion") == "TLSv1.2":
            assert scheme.get("name") in look.listed("signatures", "TLSv1.2").names


@pytest.mark.timeout(PATIENT)
def test_sslscan_sees_no_more_signatures_in_tls13(rsa: list[str], tmp_path: Path) -> None:
    root, look = _sslscan(rsa, tmp_path)
    theirs = {
        one.get("name")
        for one in root.iter("connection-signature-algorithm")
        if one.get("sslversion") == "TLSv1.3"
    }  # fmt: skip
    assert theirs - set(look.listed("signatures", "TLSv1.3").names) == set()


def _sslscan(rsa: list[str], tmp_path: Path) -> tuple[ET.Element, Look]:
    sslscan = _program("sslscan")
    with openssl.server(tmp_path, *rsa, *OPTIONS) as port:
        look = listing(port)
        out = tmp_path / "sslscan.xml"
        subprocess.run(
            [sslscan, "--show-sigs", f"--xml={out}", f"127.0.0.1:{port}"], stdout=subprocess.DEVNULL, check=False
        )
    return ET.fromstring(out.read_text()), look  # noqa: S314 - written by a tool we started


@pytest.mark.timeout(PATIENT)
def test_nmap_sees_nothing_more(rsa: list[str], tmp_path: Path) -> None:
    nmap = _program("nmap")
    with openssl.server(tmp_path, *rsa, *OPTIONS) as port:
        look = listing(port)
        scripts = ["--script", "+ssl-enum-ciphers", "-p", str(port), "127.0.0.1"]
        said = subprocess.run([nmap, "-Pn", "-n", *scripts], capture_output=True, text=True, check=False).stdout
    version = ""
    seen: dict[str, set[str]] = {}
    for line in said.splitlines():
        if found := re.search(r"(TLSv1\.\d|SSLv3):", line):
            version = found[1]
        elif found := re.search(r"\b(TLS_\w+)", line):
            seen.setdefault(version, set()).add(re.sub("^TLS_AKE_WITH", "TLS", found[1]))
    assert seen
    for one, names in seen.items():
        _nothing_missed({n for n in names if suite(n) is not None}, look, one)


def _nothing_missed(theirs: set[str], look: Look, version: str) -> None:
    assert theirs - set(look.listed("suites", version).names) == set(), version
