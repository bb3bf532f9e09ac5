"""Who waits, who is refused, and who must never notice."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from gatepost.policing.attempt import Attempt, Course, Ended
from gatepost.policing.judging import Lock, login, sending
from gatepost.policing.limits import Limits
from gatepost.policing.memory import Known, Memory

NOW = 1_800_000_000.0
HOME, AWAY = "192.0.2.7", "198.51.100.9"
HOUR = 3600


def attempt(user: str = "alice", client: str = AWAY, digest: str = "d") -> Attempt:
    return Attempt(user, client, "imap", digest=digest)


def failing(memory: Memory, *attempts: Attempt, at: float = NOW) -> Memory:
    for one in attempts:
        memory.note(Ended(one, success=False), at)
    return memory


def at_home(limits: Limits | None = None) -> Memory:
    memory = Memory(limits or Limits())
    memory.recall([Known("alice", "192.0.2.0/24", NOW - 9 * HOUR, NOW - HOUR)])
    return memory


def test_a_guesser_waits_longer_and_longer_and_is_then_refused() -> None:
    memory, seen = at_home(), []
    for number in range(25):
        answer = login(attempt(digest=f"d{number}"), memory, {}, NOW)
        seen.append(answer.seconds if answer.course is not Course.DENY else -1)
        failing(memory, attempt(digest=f"d{number}"))
    assert seen[:7] == [0, 0, 0, 1, 2, 4, 8]
    assert set(seen[7:20]) == {15}
    assert set(seen[20:]) == {-1}


def test_the_owner_at_home_notices_nothing_of_it() -> None:
    memory = failing(at_home(), *(attempt(digest=f"d{n}") for n in range(50)))
    assert login(attempt(client=HOME), memory, {}, NOW).course is Course.ALLOW


def test_an_account_without_history_is_never_closed() -> None:
    memory = failing(Memory(), *(attempt(client=f"198.51.{n}.9", digest=f"d{n}") for n in range(50)))
    answer = login(attempt(client="203.0.113.1"), memory, {}, NOW)
    assert (answer.course, answer.seconds) == (Course.DELAY, 15)


def test_a_telephone_with_one_wrong_password_is_one_guess() -> None:
    memory = failing(at_home(), *(attempt(digest="old") for _ in range(500)))
    assert login(attempt(digest="old"), memory, {}, NOW).course is Course.ALLOW


def test_a_password_that_was_right_once_is_no_guess() -> None:
    memory = at_home()
    for number in range(3):
        memory.note(Ended(attempt(client=HOME, digest=f"p{number}"), success=True), NOW - HOUR)
    failing(memory, *(attempt(digest=f"p{number}") for number in range(3)), attempt(digest="x"))
    assert memory.guesses("alice", NOW) == 1


def test_whoever_guessed_right_a_minute_ago_is_still_a_stranger() -> None:
    memory = failing(at_home(), *(attempt(digest=f"d{n}") for n in range(25)))
    memory.note(Ended(attempt(digest="right"), success=True), NOW)
    assert login(attempt(digest="right"), memory, {}, NOW + 60).course is Course.DENY


def test_one_network_at_many_accounts_is_refused() -> None:
    memory, users = Memory(), [f"user{n}" for n in range(15)]
    courses = []
    for user in users:
        courses.append(login(attempt(user), memory, {}, NOW).course)
        failing(memory, attempt(user))
    assert courses[:3] == [Course.ALLOW] * 3
    assert Course.DELAY in courses
    assert login(attempt("another", client="198.51.100.77"), memory, {}, NOW).course is Course.DENY


def test_what_was_long_ago_is_forgotten() -> None:
    memory = failing(at_home(), *(attempt(digest=f"d{n}") for n in range(25)), at=NOW - HOUR)
    assert login(attempt(), memory, {}, NOW).course is Course.ALLOW


def test_what_we_refused_ourselves_is_no_failure() -> None:
    memory = at_home()
    for number in range(25):
        memory.note(Ended(attempt(digest=f"d{number}"), success=False, refused=True), NOW)
    assert memory.guesses("alice", NOW) == 0


def test_a_lock_spares_the_known_unless_it_is_for_everybody() -> None:
    lock = Lock("alice", NOW + HOUR, "phished", "root")
    locks, hard = {"alice": lock}, {"alice": replace(lock, strangers=False)}
    home, away = attempt(client=HOME), attempt()
    told = [login(one, at_home(), held, NOW).course for held in (locks, hard) for one in (home, away)]
    assert told == [Course.ALLOW, Course.DENY, Course.DENY, Course.DENY]
    assert login(away, at_home(), locks, NOW + HOUR).course is Course.ALLOW


def test_a_session_opened_before_the_lock_sends_nothing_more() -> None:
    locks = {"alice": Lock("alice", NOW + HOUR, "phished", "root", strangers=False)}
    mail = replace(attempt(client=HOME), stage="RCPT")
    assert sending(mail, at_home(), locks, NOW).course is Course.DENY
    assert sending(replace(mail, user=""), at_home(), locks, NOW).course is Course.ALLOW


def test_a_surge_of_recipients_is_put_off() -> None:
    memory = at_home(Limits(recipients=3))
    mail = replace(attempt(client=HOME), stage="RCPT")
    courses = [sending(mail, memory, {}, NOW + n).course for n in range(5)]
    assert courses == [Course.ALLOW] * 3 + [Course.DEFER] * 2
    assert sending(mail, memory, {}, NOW + 2 * HOUR).course is Course.ALLOW


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 99), st.integers(0, 7200)), max_size=60))
def test_a_known_network_is_never_slowed_without_a_lock(deeds: list[tuple[int, int, int, int]]) -> None:
    memory = at_home()
    for user, client, digest, later in deeds:
        name = "alice" if user == 0 else f"user{user}"
        where = HOME if client == 0 else f"198.51.{client}.1"
        failing(memory, attempt(name, where, f"d{digest}"), at=NOW + later)
    assert login(attempt(client=HOME), memory, {}, NOW + 7200).course is Course.ALLOW


def test_memory_is_bounded() -> None:
    memory = Memory()
    failing(memory, *(attempt(f"user{n}", f"10.{n >> 8 & 255}.{n & 255}.1", f"d{n}") for n in range(60_000)))
    assert memory.guesses("user0", NOW) == 0
    assert memory.guesses("user59999", NOW) == 1


def test_a_network_in_an_alert_waits_and_a_known_one_does_not() -> None:
    slowed = frozenset({"198.51.100.0/24", "192.0.2.0/24"})
    answers = [login(attempt(client=client), at_home(), {}, NOW, slowed) for client in (AWAY, HOME, "203.0.113.1")]
    assert [one.seconds for one in answers] == [15, 0, 0]
