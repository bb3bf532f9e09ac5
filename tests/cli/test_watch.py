"""`gatepost watch` where it watches nothing: the unit, the test of deliveries, and what cannot be done."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.edge.watch.receiving import MailServer, datagrams


def gatepost(directory: Path, *words: str) -> tuple[int, str]:
    argv = (sys.executable, "-m", "gatepost", *words)
    ran = subprocess.run(argv, cwd=directory, capture_output=True, text=True, timeout=60, check=False)
    return ran.returncode, ran.stdout + ran.stderr


def declared(directory: Path, watch: str) -> None:
    (directory / "gatepost.toml").write_text(f"version = 1\n[watch]\n{watch}\n")


def test_deliveries_are_tried_and_no_secret_is_shown(tmp_path: Path) -> None:
    with MailServer() as server, datagrams() as receiver:
        mail = f'{{ to = "mailto:ops@example.org", via = "smtp://127.0.0.1:{server.port}" }}'
        log = f'"syslog://127.0.0.1:{receiver.getsockname()[1]}"'
        declared(tmp_path, f'deliver = [{mail}, {log}, "https://127.0.0.1:1/T0/hunter2"]')
        code, said = gatepost(tmp_path, "watch", "--test-delivery")
        assert b"this" not in receiver.recv(2000)
    assert code == 1
    assert said.splitlines()[0] == "mailto:ops@example.org: taken"
    assert said.splitlines()[2] == "https://127.0.0.1:1/***: connection refused"
    assert "hunter2" not in said
    assert "alerts for mailto:ops@example.org arrive" in server.messages[0].replace("=\r\n", "").replace("\r\n", " ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--test-delivery",), "gatepost: nobody is told of alerts: name them in deliver under [watch]\n"),
        (("--block", "--dry-run"), "gatepost: --block and --dry-run contradict each other\n"),
    ],
)
def test_what_cannot_be_done(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    declared(tmp_path, "")
    assert gatepost(tmp_path, "watch", *words) == (2, said)


def test_a_unit_with_whole_paths(tmp_path: Path) -> None:
    code, text = gatepost(tmp_path, "watch", "--print-unit", "--state", "100%")
    assert code == 0
    assert f"watch -c {tmp_path}/gatepost.toml --state {tmp_path}/100%%\n" in text
    assert f"ReadWritePaths={tmp_path}/100%%\n" in text
    assert "CapabilityBoundingSet=CAP_NET_ADMIN CAP_NET_RAW CAP_DAC_READ_SEARCH\n" in text


def test_a_log_that_is_not_there_ends_it_in_words(tmp_path: Path) -> None:
    log = tmp_path / "none.log"
    (tmp_path / "gatepost.toml").write_text(
        f'version = 1\n[hosts."mx1.example.org"]\naddresses = ["192.0.2.1"]\nlogs = ["{log}"]\nservices = ["smtp"]\n'
    )
    code, said = gatepost(tmp_path, "watch", "--once")
    assert code == 3
    assert said.splitlines()[-1] == f"gatepost: {log} does not exist"
    assert "Traceback" not in said
