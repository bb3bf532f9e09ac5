"""Alerts are told at least once, folded, and in no more messages than somebody reads: real servers on loopback."""

from __future__ import annotations

import email
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from gatepost.edge.watch.delivery import MOST, Courier, opened
from gatepost.edge.watch.posting import SIGNATURE, TIMESTAMP, Poster, signature
from gatepost.model.alert import Alert, Proof, Response
from gatepost.model.event import MICROSECONDS
from gatepost.model.watching import Delivery
from gatepost.model.words import Severity
from gatepost.report.watching import letter, trial
from tests.authority import issue
from tests.edge.watch.receiving import Hook, MailServer, datagrams

MINUTE = 60 * MICROSECONDS
NOW = 1_795_000_000 * MICROSECONDS
AT = datetime.fromtimestamp(NOW / MICROSECONDS, UTC)


def alert(number: int = 1, **more: object) -> Alert:
    made = Alert(
        f"a{number}", "passwords guessed", Severity.HIGH, ("gp-brute",), NOW - MINUTE, NOW, ("192.0.2.7",),
        ("192.0.2.0/24",), ("anna",), ("imap", "submission"), ("mx",), 9, (), Response.BLOCK,
        "9 wrong passwords in 5 minutes", (Proof(NOW, "mx", "imap", "login-failed", "192.0.2.7", "anna", "", 1, 77),),
    )  # fmt: skip
    return replace(made, **more)  # type: ignore[arg-type]  # fields of it, named by the test


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Of a server called localhost, and of a client that trusts it."""
    root = issue("Alert Root", ca=True, days=(-9000, 9000))
    leaf = issue("localhost", root, names=("localhost",), days=(-9000, 9000))
    pem = tmp_path_factory.mktemp("tls") / "leaf.pem"
    pem.write_bytes(leaf.pem + leaf.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    return server, ssl.create_default_context(cadata=root.pem.decode())


@pytest.fixture
def courier(tmp_path: Path) -> Iterator[tuple[Courier, MailServer]]:
    with MailServer() as server:
        places = (Delivery("mailto:ops@example.org", via=f"smtp://127.0.0.1:{server.port}"),)
        with opened(tmp_path, places, Poster("mx.example.org")) as found:
            yield found, server


def test_mail_is_plain_and_asks_for_no_answer() -> None:
    with MailServer() as server:
        where = Delivery("mailto:ops@example.org", via=f"smtp://127.0.0.1:{server.port}")
        assert Poster("mx.example.org").post(where, letter([alert()], host="mx.example.org"), AT) == ""
    message = email.message_from_string(server.messages[0])
    assert message["From"] == "gatepost@mx.example.org"
    assert message["To"] == "ops@example.org"
    assert message["Subject"] == "gatepost on mx.example.org: high: passwords guessed"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"] == "Wed, 18 Nov 2026 11:06:40 +0000"
    assert message["Message-ID"].endswith("@mx.example.org>")
    assert "9 wrong passwords in 5 minutes" in message.get_payload()


@pytest.mark.parametrize("implicit", [False, True])
def test_a_password_goes_through_verified_tls_only(
    tls: tuple[ssl.SSLContext, ssl.SSLContext],
    tmp_path: Path,
    implicit: bool,  # noqa: FBT001 - a column
) -> None:
    (tmp_path / "key").write_text("hunter2\n")
    with MailServer(tls[0], implicit=implicit) as server:
        via = f"{'smtps' if implicit else 'smtp'}://alerts%40example.org@localhost:{server.port}"
        where = Delivery("mailto:ops@example.org", via=via, secret=str(tmp_path / "key"))
        assert "certificate verify failed" in Poster("mx").post(where, letter([alert()]), AT)
        assert server.logins == []
        assert Poster("mx", tls[1]).post(where, letter([alert()]), AT) == ""
    assert server.logins == ["\0alerts@example.org\0hunter2"]
    assert "\r\nFrom: alerts@example.org\r\n" in f"\r\n{server.messages[0]}"


def test_without_tls_no_password_is_sent(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("hunter2")
    with MailServer() as server:
        where = Delivery("mailto:a@b.example", via=f"smtp://me@127.0.0.1:{server.port}", secret=str(tmp_path / "key"))
        said = Poster("mx").post(where, letter([alert()]), AT)
    assert said == "SMTPNotSupportedError: the other side does not speak as it should"
    assert (server.logins, server.messages) == ([], [])


def test_what_a_server_refuses_is_said() -> None:
    with MailServer(refuse="550 5.1.1 no \x1b[31msuch user") as server:
        where = Delivery("mailto:ops@example.org", via=f"smtp://127.0.0.1:{server.port}")
        said = Poster("mx").post(where, letter([alert()]), AT)
    assert said == "the mail server said 550 5.1.1 no \\e[31msuch user"


@given(st.text(max_size=400), st.text(max_size=400))
def test_no_words_of_a_stranger_make_a_header(title: str, user: str) -> None:
    found = letter([alert(title=title, users=(user,), because=user)], host="mx")
    assert found.subject.isprintable()
    assert len(found.subject) <= 400
    assert all(line.isprintable() for line in found.text.splitlines())
    json.dumps(dict(found.payload))


def test_a_webhook_is_signed(tls: tuple[ssl.SSLContext, ssl.SSLContext], tmp_path: Path) -> None:
    (tmp_path / "key").write_text("secret key")
    with Hook(tls[0], 204) as hook:
        where = Delivery(f"https://u:p%20w@localhost:{hook.port}/T0/x?y=1", secret=str(tmp_path / "key"))
        assert Poster("mx", tls[1]).post(where, letter([alert()], host="mx"), AT) == ""
    head, fields, body = hook.got[0]
    assert head == "POST /T0/x?y=1 HTTP/1.1"
    assert fields["authorization"] == "Basic dTpwIHc="
    assert fields[SIGNATURE.lower()] == signature("secret key", fields[TIMESTAMP.lower()], body)
    told = json.loads(body)
    assert (told["schema"], told["alerts"][0]["clients"]) == ("gatepost/alerts/1", ["192.0.2.7"])


@pytest.mark.parametrize(
    ("status", "said"), [(302, "the webhook answered 302 Fine"), (500, "the webhook answered 500 Fine")]
)
def test_only_success_is_success(tls: tuple[ssl.SSLContext, ssl.SSLContext], status: int, said: str) -> None:
    with Hook(tls[0], status) as hook:
        assert Poster("mx", tls[1]).post(Delivery(f"https://localhost:{hook.port}/"), letter([alert()]), AT) == said


def test_syslog_over_udp_is_rfc_5424() -> None:
    with datagrams() as receiver:
        where = Delivery(f"syslog://127.0.0.1:{receiver.getsockname()[1]}")
        assert Poster("mx.example.org").post(where, letter([alert(title="a\nb")]), AT) == ""
        line = receiver.recv(4000).decode()
    assert line.startswith("<35>1 2026-11-")
    assert " mx.example.org gatepost " in line
    assert 'alert - \ufeffalert=a1 severity=high count=9 clients=192.0.2.7 accounts="anna" title="a\\nb"' in line


def test_a_name_of_an_account_is_no_field_in_syslog() -> None:
    with datagrams() as receiver:
        where = Delivery(f"syslog://127.0.0.1:{receiver.getsockname()[1]}")
        told = letter([alert(users=('anna" clients=203.0.113.66 x="',))], host="mx")
        assert Poster("mx").post(where, told, AT) == ""
        line = receiver.recv(9000).decode()
    assert r'accounts="anna\" clients=203.0.113.66 x=\"" title=' in line


def test_syslog_over_tcp_counts_octets() -> None:
    got: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def receive() -> None:
            client, _ = server.accept()
            with client:
                while part := client.recv(4000):
                    got.append(part)

        thread = threading.Thread(target=receive)
        thread.start()
        where = Delivery(f"syslog://127.0.0.1:{server.getsockname()[1]}?tcp")
        assert Poster("mx").post(where, letter([alert(1), alert(2)]), AT) == ""
        thread.join(10)
    size, _, rest = b"".join(got).partition(b" ")
    assert rest[int(size) :].partition(b" ")[2].startswith(b"<35>1 ")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # its own plugins, under newer Pythons
def test_apprise_says_what_it_does_not_know() -> None:
    pytest.importorskip("apprise")
    assert Poster("mx").post(Delivery("nonsense://x"), letter([alert()]), AT) == "Apprise does not know this URL"


def test_nobody_there_is_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    where = Delivery("mailto:a@b.example", via=f"smtp://127.0.0.1:{port}")
    assert Poster("mx").post(where, trial("mx", "a@b.example"), AT) == "connection refused"
    lost = Delivery("https://localhost/", secret="/nonexistent/key")
    assert Poster("mx").post(lost, letter([alert()]), AT) == "no such file or directory"


def test_a_campaign_is_one_message(courier: tuple[Courier, MailServer]) -> None:
    found, server = courier
    found.take([alert(n) for n in range(900)], NOW)
    assert found.run(NOW) == 1
    assert found.waiting() == 0
    assert "and 899 more" in server.messages[0].replace("\r\n ", " ")
    assert "And 870 more alerts: gatepost alerts lists them." in server.messages[0]


def test_no_more_than_somebody_reads(courier: tuple[Courier, MailServer]) -> None:
    """A new alert every ten seconds for an hour."""
    found, server = courier
    for n in range(360):
        now = NOW + n * 10 * MICROSECONDS
        found.take([alert(n)], now)
        found.run(now)
    assert len(server.messages) <= 12


def test_the_same_alert_is_told_again_only_when_it_grew(courier: tuple[Courier, MailServer]) -> None:
    found, server = courier
    for minute in range(60):
        found.take([alert()], NOW + minute * MINUTE)
        found.run(NOW + minute * MINUTE)
    assert len(server.messages) == 1
    for minute in range(60, 120):
        found.take([alert(last=NOW + minute * MINUTE)], NOW + minute * MINUTE)
        found.run(NOW + minute * MINUTE)
    assert len(server.messages) in {4, 5}


def test_below_the_severity_nobody_is_told(courier: tuple[Courier, MailServer]) -> None:
    found, server = courier
    found.take([alert(severity=Severity.MEDIUM)], NOW)
    assert (found.run(NOW), server.messages) == (0, [])


def test_an_alert_outlives_us_and_a_failing_server(tmp_path: Path) -> None:
    with MailServer(refuse="451 later") as failing:
        places = (Delivery("mailto:ops@example.org", via=f"smtp://127.0.0.1:{failing.port}"),)
        with opened(tmp_path, places, Poster("mx")) as found:
            found.take([alert()], NOW)
            assert found.run(NOW) == 0
            assert list(found.troubles.values()) == ["the mail server said 451 later"]
            assert found.run(NOW + MICROSECONDS) == 0  # not before its time
        failing.refuse = ""
        with opened(tmp_path, places, Poster("mx")) as found:
            assert found.waiting() == 1
            assert found.run(NOW + 11 * MICROSECONDS) == 1
            assert found.waiting() == 0
    assert len(failing.messages) == 1


def test_the_queue_is_bounded_and_tells_what_was_given_up(courier: tuple[Courier, MailServer]) -> None:
    found, server = courier
    for n in range(3):
        found.take([alert(n * MOST + m) for m in range(MOST)], NOW)
    assert found.waiting() == MOST
    found.run(NOW)
    assert f"{2 * MOST} older alerts were given up" in server.messages[0]


def test_no_secret_lies_in_the_state_directory(tmp_path: Path) -> None:
    places = (Delivery("https://hooks.example/hunter2"), Delivery("tgram://hunter2/x"))
    with opened(tmp_path, places, Poster("mx")) as found:
        found.take([alert()], NOW)
    assert all(b"hunter2" not in file.read_bytes() for file in tmp_path.iterdir())
