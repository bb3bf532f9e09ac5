"""What a newcomer types first."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import gatepost as gatepost_package
from gatepost import __version__
from tests.cli.conftest import Gatepost

COMMANDS = ("audit", "certs", "demo", "explain", "init", "ports", "schema")


def test_version_and_help(gatepost: Gatepost) -> None:
    assert gatepost("--version").out.strip() == f"gatepost {__version__}"
    help_text = gatepost("--help").out
    assert all(command in help_text for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(gatepost: Gatepost, command: str) -> None:
    result = gatepost(command, "--help")
    assert result.code == 0
    assert "Usage" in result.out


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['gatepost', '--version']\n"
        "from gatepost.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'pydantic', 'OpenSSL', 'cryptography', 'dns', 'asyncio', 'sqlite3'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {sorted(heavy)}' if heavy else 0)"
    )
    here = {**os.environ, "PYTHONPATH": str(Path(gatepost_package.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=here)
    assert done.returncode == 0, done.stderr


def test_explain_prints_a_control_with_its_references(gatepost: Gatepost) -> None:
    text = gatepost("explain", "gp-tls-002").out
    assert "GP-TLS-002" in text
    assert "TLS 1.0 and 1.1 are refused where users authenticate" in text
    assert "RFC 8996" in text  # the edition an auditor knows it by
    assert "smtpd_tls_mandatory_protocols" in text


def test_schema_is_json_schema(gatepost: Gatepost, tmp_path: Path) -> None:
    assert "$schema" in json.loads(gatepost("schema").out)
    target = tmp_path / "gatepost.schema.json"
    assert gatepost("schema", "-o", str(target)).code == 0
    assert "$schema" in json.loads(target.read_text())
