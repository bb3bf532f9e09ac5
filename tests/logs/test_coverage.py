"""The share of lines that parse is counted, bounded, and missed when it falls."""

from __future__ import annotations

from gatepost.logs.coverage import DAEMONS, SAMPLE, SAMPLES, Tally, alarms
from gatepost.logs.understanding import about_authentication, understand
from gatepost.model.log import Coverage, Line

FAILED = "warning: unknown[198.51.100.7]: SASL LOGIN authentication failed: x, sasl_username=a"


def tallied(*messages: str, tag: str = "postfix/smtpd") -> Tally:
    tally = Tally()
    for message in messages:
        line = Line(1, "mx1", tag, 1, message)
        tally.add(line, understand(line), slow=True)
    return tally


def test_counts_by_daemon() -> None:
    (told,) = tallied(FAILED, "connect from unknown[198.51.100.7]", "SASL is quite new here").coverage()
    assert told == Coverage("smtpd", 3, 2, 2, 1, 3, ("SASL is quite new here",))


def test_samples_are_few_short_and_different() -> None:
    words = [f"{letter * 3} quite unheard {number} " + "x1 " * 200 for letter in "abcdefgh" for number in range(3)]
    (told,) = tallied(*words).coverage()
    assert len(told.samples) == SAMPLES
    assert len({said[:3] for said in told.samples}) == SAMPLES
    assert max(map(len, told.samples)) == SAMPLE


def test_daemons_are_bounded() -> None:
    tally = Tally()
    for number in range(2 * DAEMONS):
        line = Line(1, "mx1", f"tag{number}", 1, "x")
        tally.add(line, understand(line))
    told = tally.coverage()
    assert len(told) == DAEMONS + 1
    assert sum(one.lines for one in told) == 2 * DAEMONS


def test_merging_adds_up() -> None:
    tally = tallied(FAILED, "SASL is quite new here")
    for one in tallied(FAILED, "SASL is another thing").coverage():
        tally.merge(one)
    (told,) = tally.coverage()
    assert (told.lines, told.understood, told.auth, told.auth_understood) == (4, 2, 4, 2)
    assert told.samples == ("SASL is quite new here", "SASL is another thing")


def test_a_falling_share_is_an_alarm() -> None:
    before = tallied(*[FAILED] * 100).coverage()
    now = tallied(*[FAILED] * 60, *["SASL sign-on of a new kind failed"] * 40).coverage()
    (alarm,) = alarms(before, now)
    assert "smtpd" in alarm.sentence
    assert "60%" in alarm.sentence
    assert "SASL sign-on of a new kind failed" in alarm.sentence
    assert alarms(before, before) == ()
    assert alarms(now, now) == ()
    assert alarms((), now) == (alarm,)


def test_few_lines_say_nothing() -> None:
    assert alarms((), tallied(*["SASL sign-on of a new kind failed"] * 10).coverage()) == ()


def test_words_tell_authentication_without_patterns() -> None:
    said = "imap-login: Something new (auth failed, 1 attempts)"
    assert about_authentication(Line(1, "", "dovecot", None, said))
    assert not about_authentication(Line(1, "", "postfix/qmgr", None, "7EE668039: removed"))
