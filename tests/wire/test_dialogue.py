from __future__ import annotations

import pytest

from gatepost.catalogue import ports
from gatepost.errors import PeerError, PeerGarbled, PeerLimited, PeerRefused
from gatepost.model.architecture import Endpoint
from gatepost.model.words import Mode, Role
from gatepost.wire.ask import is_limit, is_refusal_to_look
from gatepost.wire.dialogue import DIALOGUES, Ask, dialogue_for
from gatepost.wire.lines import Talk
from tests.script import Script, run

REACHED = {
    "smtp": "< 220-mx teaser\n< 220 mx\n> EHLO *\n< 250-mx\n< 250 STARTTLS\n> STARTTLS\n< 220 go",
    "lmtp": "< 220 mx\n> LHLO *\n< 250-mx\n< 250 STARTTLS\n> STARTTLS\n< 220 go",
    "imap": "< * OK hi\n> a1 STARTTLS\n< * OK [ALERT] x\n< a1 OK go",
    "pop3": "< +OK hi\n> STLS\n< +OK go",
    "managesieve": '< "SASL" ""\n< "STARTTLS"\n< OK\n> STARTTLS\n< OK "go"',
}
TURNED_AWAY = [
    ("smtp", "< 421 4.7.0 too many", PeerLimited),
    ("smtp", "< 450 4.3.2 not now", PeerLimited),
    ("smtp", "< 554 no", PeerRefused),
    ("smtp", "< 220 mx\n> EHLO *\n< 250 mx\n> STARTTLS\n< 502 code 220", PeerRefused),
    ("smtp", "< 220 mx\n> EHLO *\n< 250-mx\n< 250 STARTTLS\n> STARTTLS\n< 454 4.7.0 too many sessions", PeerLimited),
    ("smtp", "< 220 mx\n> EHLO *\n< 250-mx\n< 250 STARTTLS\n> STARTTLS\n< 454 4.7.0 local problem", PeerRefused),
    ("smtp", "< 220 mx\n> EHLO *\n< 550 no\n> HELO *\n< 550 no", PeerRefused),
    ("lmtp", "< 220 mx\n> LHLO *\n< 500 no", PeerRefused),
    ("smtp", "< hello", PeerGarbled),
    ("imap", "< * BYE too many", PeerLimited),
    ("imap", "< * OK\n> a1 STARTTLS\n< a1 BAD what", PeerRefused),
    ("imap", "< * OK\n> a1 STARTTLS\n< a1 NO [LIMIT] x", PeerLimited),
    ("imap", "< * OK\n> a1 STARTTLS\n< * BYE enough", PeerLimited),
    ("imap", "< 220 mx", PeerGarbled),
    ("pop3", "< -ERR [SYS/TEMP] x", PeerLimited),
    ("pop3", "< -ERR no", PeerRefused),
    ("pop3", "< +OK\n> STLS\n< -ERR no", PeerRefused),
    ("pop3", "< + go", PeerGarbled),
    ("managesieve", "< BYE x", PeerLimited),
    ("managesieve", '< "SASL" ""\n< OK\n> STARTTLS\n< NO "no"', PeerRefused),
    ("managesieve", "< OK", PeerGarbled),
]


def ask(protocol: str, mode: Mode = Mode.STARTTLS) -> Ask:
    return Ask(Endpoint("mx.example", "192.0.2.25", 25), protocol, mode, Role.MX)


@pytest.mark.parametrize("cut", [0, 1, 2, 3, 7])
@pytest.mark.parametrize("protocol", sorted(REACHED))
def test_reach_ends_right_before_the_hello(protocol: str, cut: int) -> None:
    dialogue = dialogue_for(protocol)
    assert dialogue is not None
    script = Script.of(REACHED[protocol], cut)
    run(dialogue.reach(Talk(script), ask(protocol)))
    assert script.done


@pytest.mark.parametrize("protocol", sorted(DIALOGUES))
def test_reach_has_nothing_to_say_to_implicit_tls(protocol: str) -> None:
    script = Script.of("< never read")
    run(DIALOGUES[protocol].reach(Talk(script), ask(protocol, Mode.IMPLICIT)))
    assert not script.sent


@pytest.mark.parametrize(("protocol", "text", "error"), TURNED_AWAY)
def test_reach_says_why_not(protocol: str, text: str, error: type[PeerError]) -> None:
    script = Script.of(text)
    with pytest.raises(error) as caught:
        run(DIALOGUES[protocol].reach(Talk(script), ask(protocol)))
    assert type(caught.value) is error
    assert str(caught.value)
    assert script.done


def test_every_dialogue_is_in_the_port_catalogue() -> None:
    assert set(DIALOGUES) <= {port.protocol for port in ports()}
    assert dialogue_for("ssh") is None


@pytest.mark.parametrize(
    "text",
    [
        "454 4.7.0 Error: too many new TLS sessions from x",
        "-ERR [LOGIN-DELAY] wait",
        "Maximum number of connections exceeded",
        "server busy, try again later",
        "concurrent sessions exceeded",
    ],
)
def test_limits(text: str) -> None:
    assert is_limit(text)


@pytest.mark.parametrize(
    "text", ["454 TLS not available due to temporary reason", "554 no", "Login failed", "separate"]
)
def test_refusals_that_are_no_limits(text: str) -> None:
    assert not is_limit(text)


@pytest.mark.parametrize(
    ("text", "unread"),
    [
        ("[PRIVACYREQUIRED] no", True),
        ("Plaintext authentication disallowed on non-secure (SSL/TLS) connections.", True),
        ("LOGIN command is disabled", True),
        ("Unknown command.", True),
        ("[AUTHENTICATIONFAILED] Authentication failed over a secure channel.", False),
        ("Login failed.", False),
        ("[AUTH] Authentication failed.", False),
    ],
)
def test_a_login_turned_away_unread(text: str, unread: bool) -> None:  # noqa: FBT001 - a table of outcomes
    assert is_refusal_to_look(text) is unread
