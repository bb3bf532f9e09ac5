"""The lists are the truth, and cost about as many connections as the largest of them is long."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.catalogue import profile, tls
from gatepost.catalogue.tls import Exchange
from gatepost.model.architecture import Endpoint
from gatepost.model.observation import Accepted, ChainSeen, Feature, Hello, Observation, Unobserved, of
from gatepost.model.words import Reason, Role
from gatepost.wire.tls import extensions as ext
from gatepost.wire.tls.inventory import HELLOS, inventory
from tests.script import collect
from tests.wire.tls.servers import HYBRIDS, MODERN13, clean, dovecot, postfix, ruin
from tests.wire.tls.simulated import GROUPS12, GROUPS13, Server, groups, schemes, suites

AT = Endpoint("mx.example.org", "192.0.2.1", 25)


def look(server: Server, *, role: Role = Role.SUBMISSION, sni: str | None = "mx.example.org") -> list[Observation]:
    return collect(inventory(AT, server.reach, profile("rfc9325"), role=role, name=sni))


def lists(seen: list[Observation], kind: str) -> dict[str, Accepted]:
    return {a.version: a for a in of(Accepted, seen) if a.kind == kind}


def features(seen: list[Observation]) -> dict[str, bool | None]:
    return {f.name: f.present for f in of(Feature, seen)}


def assert_true(server: Server, seen: list[Observation]) -> None:
    found = lists(seen, "suites")
    assert {v: set(a.names) for v, a in found.items()} == {v: t for v in server.suites if (t := server.accepted(v))}
    assert all(a.complete for a in found.values())
    assert all(len(a.names) == len(set(a.names)) for a in found.values())


@pytest.mark.parametrize(
    ("server", "role", "most"),
    [
        (clean(), Role.SUBMISSION, 28),
        (clean(keys=frozenset({"rsa", "ecdsa"})), Role.SUBMISSION, 32),
        (postfix(), Role.MX, 78),
        (postfix(below=True), Role.SUBMISSION, 78),
        (dovecot(), Role.ACCESS, 72),
        (dovecot(dhe_broken=True), Role.ACCESS, 56),
    ],
    ids=["clean", "pair", "postfix-25", "postfix-587", "dovecot", "dovecot-without-ssl_dh"],
)
def test_everything_is_listed_within_the_budget(server: Server, role: Role, most: int) -> None:
    seen = look(server, role=role)
    assert_true(server, seen)
    assert not of(Unobserved, seen)
    assert set(lists(seen, "groups")["TLSv1.2"].names) == set(map(tls.group_name, server.groups12))
    assert set(lists(seen, "groups")["TLSv1.3"].names) == set(map(tls.group_name, server.groups13))
    usable = {"rsa", "ecdsa"} if "ecdsa" in server.keys else {"rsa"}
    truth = {s.name for s in tls.schemes() if s.code in server.schemes and s.key in usable}
    assert set(lists(seen, "signatures")["TLSv1.2"].names) == truth
    assert server.connections <= most


def test_lower_versions_say_what_is_inferred() -> None:
    seen = look(postfix(below=True))
    for version in ("TLSv1.0", "TLSv1.1"):
        listed = lists(seen, "suites")[version]
        asked = {h.suite for h in of(Hello, seen) if h.version == version and not h.refused}
        assert len(asked) == 3
        assert set(listed.inferred) == set(listed.names) - asked
    highest = lists(seen, "suites")["TLSv1.2"]
    asked = {h.suite for h in of(Hello, seen) if h.version == "TLSv1.2" and not h.refused}
    assert set(highest.inferred) == set(highest.names) - asked


def test_a_sample_that_disagrees_has_the_version_listed_in_full() -> None:
    old = tuple(c for c in suites("TLS_RSA_WITH_AES", "TLS_RSA_WITH_RC4") if c in OLD)
    server = Server({"TLSv1.2": suites("TLS_RSA_WITH_AES"), "TLSv1.0": old})
    seen = look(server)
    assert_true(server, seen)
    assert not lists(seen, "suites")["TLSv1.0"].inferred


@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize("silent", [True, False])
def test_a_key_that_only_the_highest_version_can_use(*, ordered: bool, silent: bool) -> None:
    every = suites("ECDHE_RSA_WITH_AES", "ECDHE_ECDSA_WITH_AES", "TLS_ECDH_anon", "TLS_DH_anon_WITH_AES")
    old = tuple(c for c in every if c in OLD)
    for new in ("ecdsa", "rsa"):
        server = Server(
            {"TLSv1.2": every, "TLSv1.1": old, "TLSv1.0": old},
            keys=frozenset({"rsa", "ecdsa"}),
            new_keys=frozenset({new}),
            ordered=ordered,
            silent=silent,
        )
        assert_true(server, look(server))


@pytest.mark.parametrize("ordered", [True, False])
def test_whose_order(*, ordered: bool) -> None:
    for server in (postfix(), clean()):
        server.ordered = ordered
        seen = look(server)
        listed = lists(seen, "suites")
        assert listed["TLSv1.2"].order == listed["TLSv1.3"].order == ("server" if ordered else "client")
        assert features(seen)["server-order"] is ordered
        if ordered:
            names = [n for c in server.suites["TLSv1.2"] if (n := tls.suite_name(c)) in listed["TLSv1.2"].names]
            assert list(listed["TLSv1.2"].names) == names


def test_exhausted_groups_are_no_refused_suites() -> None:
    """A server with one curve and its own order takes RSA suites as soon as the curve is missing."""
    server = Server({"TLSv1.2": suites("ECDHE_RSA_WITH_AES", "TLS_RSA_WITH_AES")}, groups12=groups("secp256r1"))
    server.ordered = True
    seen = look(server)
    assert_true(server, seen)
    assert lists(seen, "groups")["TLSv1.2"].names == ("secp256r1",)


@pytest.mark.parametrize("word", ["TLS_ECDH_anon_WITH_AES_128", "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256"])
def test_groups_of_suites_without_a_certificate_are_settled(word: str) -> None:
    server = Server({"TLSv1.2": suites(word)})
    listed = lists(look(server), "groups")["TLSv1.2"]
    assert set(listed.names) == set(map(tls.group_name, server.groups12))
    assert listed.complete


def test_oddities_are_borne_or_told() -> None:
    healthy = {"grease-tolerant": True, "version-tolerant": True, "alpn-strict": False, "fallback-scsv": True}
    assert healthy.items() <= features(look(postfix())).items()
    sick = postfix()
    sick.bears_grease = sick.bears_new_versions = sick.fallback = False
    sick.strict_alpn = True
    seen = look(sick)
    assert {name: not good for name, good in healthy.items()}.items() <= features(seen).items()
    assert_true(sick, seen)


SIGNERS = [
    clean(),
    clean(keys=frozenset({"ecdsa"})),
    clean(keys=frozenset({"rsa", "ecdsa"}), silent=True),
    clean(groups13=groups("secp256r1")),
    clean(groups13=groups("secp384r1", "secp521r1"), schemes=schemes("rsa_pss_rsae_sha384")),
    Server({"TLSv1.3": MODERN13}),
    postfix(),
]


@pytest.mark.parametrize("server", SIGNERS)
def test_signature_schemes_of_tls13(server: Server) -> None:
    seen = look(server)
    listed = lists(seen, "signatures")["TLSv1.3"]
    assert set(listed.names) == server.signing13()
    assert listed.complete
    assert not of(Unobserved, seen)
    assert all(hello.has(ext.SIGNATURE_ALGORITHMS_CERT) for hello in server.signed)


@pytest.mark.parametrize("server", [clean(groups13=HYBRIDS), postfix(below=True)])
def test_signature_schemes_that_cannot_all_be_asked_are_no_whole_list(server: Server) -> None:
    seen = look(server)
    listed = lists(seen, "signatures")["TLSv1.3"]
    assert set(listed.names) < server.signing13()
    assert not listed.complete
    assert not of(Unobserved, seen)


@pytest.mark.parametrize("tickets", [True, False])
@pytest.mark.parametrize("caches", [True, False])
@pytest.mark.parametrize("words", [("ECDHE_RSA_WITH_AES",), ("TLS_RSA_WITH_AES_128_GCM",)])
def test_session_ids_are_asked_for_without_a_ticket(*, tickets: bool, caches: bool, words: tuple[str, ...]) -> None:
    server = Server({"TLSv1.2": suites(*words)}, caches=caches)
    if not tickets:
        server.extensions -= {ext.SESSION_TICKET}
    assert {"resumption-ticket": tickets, "resumption-id": caches}.items() <= features(look(server)).items()


def test_both_chains_and_the_one_without_a_name() -> None:
    seen = look(clean(keys=frozenset({"rsa", "ecdsa"})))
    chains = of(ChainSeen, seen)
    assert [c.sni for c in chains].count(None) == 1
    assert len(chains) == len(set(chains)) == 3
    assert next(h for h in of(Hello, seen) if h.offer == "no-sni").sni is None


def test_the_words_of_the_default_depth_are_said_too() -> None:
    seen = of(Hello, look(clean(groups13=groups("x25519"))))
    refused = {h.offer for h in seen if h.refused}
    assert {"ssl2", "tls1.1-and-below", "forbidden", "allowed-ecdsa", "weak-groups", "weak-signatures"} <= refused
    assert "tls1.3-hybrid" in refused
    accepted = {h.offer for h in seen if not h.refused}
    assert {"allowed-rsa", "tls1.3", "no-sni"} <= accepted
    assert any(h.offer == "tls1.3-hybrid" for h in of(Hello, look(clean())) if not h.refused)
    assert "allowed-ecdsa" not in {h.offer for h in of(Hello, look(clean(keys=frozenset({"ecdsa"})))) if h.refused}


@pytest.mark.parametrize("after", [0, 1, 2, 10, 40])
def test_cut_short_is_never_complete(after: int) -> None:
    server = postfix()
    server.limit = after
    seen = look(server)
    assert server.connections == after
    lost = of(Unobserved, seen)
    assert {u.reason for u in lost} == {Reason.LIMITED}
    assert not any(a.complete for a in of(Accepted, seen) if a.version == "TLSv1.2")
    for listed in of(Accepted, seen):
        if listed.kind == "suites":
            assert set(listed.names) <= server.accepted(listed.version)


def test_the_worst_server_ends_at_the_budget() -> None:
    server = ruin()
    seen = look(server)
    assert server.connections == HELLOS
    assert not lists(seen, "suites")["TLSv1.2"].complete
    assert any(u.reason is Reason.BUDGET for u in of(Unobserved, seen))


def test_only_old_versions() -> None:
    old = suites("TLS_RSA_WITH_AES_128_CBC_SHA", "TLS_RSA_WITH_3DES")
    for versions in (("TLSv1.0",), ("SSLv3",), ("SSLv3", "TLSv1.1")):
        rows = tuple(c for c in old if (s := tls.suite_coded(c)) is not None and s.since == "SSLv3")
        server = Server(dict.fromkeys(versions, rows))
        assert_true(server, look(server))


def test_only_tls13_and_nothing() -> None:
    server = clean()
    del server.suites["TLSv1.2"]
    seen = look(server)
    assert_true(server, seen)
    assert set(lists(seen, "groups")) == {"TLSv1.3"}
    assert not of(Accepted, look(Server({"TLSv1.2": ()})))


POOL = [s.code for s in tls.suites() if s.exchange in {Exchange.RSA, Exchange.DHE, Exchange.ECDHE} and not s.tls13]
OLD = [c for c in POOL if (s := tls.suite_coded(c)) is not None and s.since in {"SSLv3", "TLSv1.0"}]
FEW = st.lists(st.sampled_from(POOL), max_size=14, unique=True).map(tuple)
MODERN = st.lists(st.sampled_from(range(0x1301, 0x1306)), max_size=5, unique=True).map(tuple)


def _server(new: tuple[int, ...], below: int, modern: tuple[int, ...], **rest: object) -> Server:
    """Lower versions take what the highest takes, as far as it exists there: what every library does."""
    old = tuple(c for c in new if c in OLD)
    taken = {"TLSv1.2": new, "TLSv1.3": modern, "TLSv1.1": old, "TLSv1.0": old}
    names = ("TLSv1.3", "TLSv1.2", "TLSv1.1", "TLSv1.0")[0 if modern else 1 : 2 + below]
    server = Server({name: taken[name] for name in names})
    for name, value in rest.items():
        setattr(server, name, value)
    return server


SERVERS = st.builds(
    _server,
    FEW,
    st.integers(0, 2),
    MODERN,
    groups12=st.lists(st.sampled_from(GROUPS12), max_size=4, unique=True).map(tuple),
    groups13=st.lists(st.sampled_from(GROUPS13 + HYBRIDS), min_size=1, max_size=5, unique=True).map(tuple),
    keys=st.sampled_from([frozenset({"rsa"}), frozenset({"ecdsa"}), frozenset({"rsa", "ecdsa"})]),
    new_keys=st.sampled_from([frozenset(), frozenset({"ecdsa"}), frozenset({"rsa"})]),
    ordered=st.booleans(),
    silent=st.booleans(),
    dhe_broken=st.booleans(),
    bears_grease=st.booleans(),
    strict_alpn=st.booleans(),
)


@settings(max_examples=80, deadline=None)
@given(SERVERS)
def test_any_server_is_listed_as_it_is(server: Server) -> None:
    seen = look(server)
    assert server.connections <= HELLOS
    if not of(Unobserved, seen):
        assert_true(server, seen)
    if server.accepted("TLSv1.3"):
        assert set(lists(seen, "groups")["TLSv1.3"].names) == set(map(tls.group_name, server.groups13))
