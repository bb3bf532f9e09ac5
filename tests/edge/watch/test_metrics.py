"""What Prometheus gets, over HTTP and as a file."""

from __future__ import annotations

import http.client
import socket
from pathlib import Path

import pytest

from gatepost.edge.watch.metrics import Metrics
from gatepost.errors import UsageError
from gatepost.model.event import MICROSECONDS
from gatepost.model.log import Coverage

NOW = 1_795_000_000 * MICROSECONDS


def filled() -> Metrics:
    found = Metrics()
    found.read([Coverage("smtpd", 10, 9, 4, 3, 0), Coverage("smtpd", 5, 5, 0, 0, 0)])
    found.line_of("imap", NOW - 2 * MICROSECONDS, NOW)
    found.alerts.labels("high", "gp-brute").inc()
    return found


def test_asked_over_http() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    found = filled()
    serving = found.serve(f"127.0.0.1:{port}")
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        connection.close()
    finally:
        serving.close()
    assert 'gatepost_log_lines_total{daemon="smtpd"} 15.0' in text
    assert 'gatepost_log_coverage_ratio{daemon="smtpd"} 0.75' in text
    assert "gatepost_log_lag_seconds 2.0" in text
    assert 'gatepost_alerts_total{rule="gp-brute",severity="high"} 1.0' in text


def test_a_place_that_is_taken_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(UsageError, match="address already in use"):
        Metrics().serve(f"127.0.0.1:{taken.getsockname()[1]}")


def test_written_whole_for_the_textfile_collector(tmp_path: Path) -> None:
    filled().write(tmp_path / "gatepost.prom")
    assert [p.name for p in tmp_path.iterdir()] == ["gatepost.prom"]
    assert (tmp_path / "gatepost.prom").read_text().endswith("\n")
    with pytest.raises(UsageError, match="no such file"):
        filled().write(tmp_path / "missing" / "gatepost.prom")
