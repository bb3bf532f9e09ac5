"""What is set where: one row a case, with the real judges deciding what fails."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network

import pytest

from gatepost.enforce import Wishes, plan
from gatepost.firewall.matrix import matrix
from gatepost.model.architecture import Host, Zone
from gatepost.model.finding import Finding
from gatepost.model.host import SocketSeen
from gatepost.model.plan import Kind
from gatepost.model.words import Outcome, Role, Severity
from tests.enforcement.house import AT, CERTIFIED, NAME, NOW, House, acts, by_hand, written

MX = "smtp/inet"
BOTH = {"smtpd_tls_exclude_ciphers": "", "smtpd_tls_mandatory_protocols": ">=TLSv1.2"}


def house(main: dict[str, str], **services: dict[str, str]) -> House:
    return House(main, {f"{name}/inet": own for name, own in services.items()})


CASES = [
    # the value for all services, where anybody uses it
    (house({"smtpd_tls_mandatory_protocols": ">=TLSv1"}, submission={}, submissions={}),
     ["e smtpd_tls_mandatory_protocols=>=TLSv1.2"]),
    # an override that contradicts is changed where it stands, and main.cf, which is right, is left alone
    (house({"smtpd_tls_mandatory_protocols": ">=TLSv1.2"}, submission={"smtpd_tls_mandatory_protocols": ">=TLSv1"}),
     ["P submission/inet/smtpd_tls_mandatory_protocols=>=TLSv1.2"]),
    # both
    (house({"disable_vrfy_command": "no"}, smtp={}, submission={"disable_vrfy_command": "no"}),
     ["e disable_vrfy_command=yes", "P submission/inet/disable_vrfy_command=yes"]),
    # the other spelling is right already
    (house({"smtpd_tls_mandatory_protocols": "!SSLv2, !SSLv3, !TLSv1, !TLSv1.1"}, submissions={}), []),
    # a stricter value than ours is right already
    (house({"smtpd_forbid_bare_newline": "reject"}, smtp={}), []),
    # an old Postfix knows no `>=`
    (replace(house({"smtpd_tls_mandatory_protocols": "!SSLv2"}, submissions={}), versions=("3.4.1", "")),
     ["e smtpd_tls_mandatory_protocols=!SSLv2, !SSLv3, !TLSv1, !TLSv1.1"]),
    # never for port 25 what is meant for clients
    (house({**CERTIFIED, "smtpd_tls_security_level": "may"}, smtp={}, submission={}),
     ["P submission/inet/smtpd_tls_security_level=encrypt"]),
    # STARTTLS is not demanded of strangers: others may rely on main.cf, so the service is changed
    (house({**CERTIFIED, "smtpd_tls_security_level": "encrypt"}, smtp={}, submission={}),
     ["P smtp/inet/smtpd_tls_security_level=may"]),
    # nobody set it: main.cf
    (House({**CERTIFIED, "smtpd_tls_security_level": "", "smtpd_use_tls": "no"}, {MX: {}},
           default=frozenset({"smtpd_tls_security_level", "smtpd_use_tls"})), ["e smtpd_tls_security_level=may"]),
    # logins leave port 25 and stay on submission
    (house({"smtpd_sasl_auth_enable": "yes"}, smtp={}, submission={}), ["P smtp/inet/smtpd_sasl_auth_enable=no"]),
    # words are added to what is there, also where blanks cannot stand
    (house({**BOTH, "smtpd_tls_mandatory_exclude_ciphers": "aNULL, MD5"}, submissions={}),
     ["e smtpd_tls_mandatory_exclude_ciphers=aNULL, MD5, kRSA"]),
    (house(BOTH, submissions={"smtpd_tls_mandatory_exclude_ciphers": "aNULL, MD5"}),
     ["P submissions/inet/smtpd_tls_mandatory_exclude_ciphers=aNULL,MD5,kRSA"]),
    (house({"smtpd_discard_ehlo_keywords": "chunking, STARTTLS"}, smtp={}), ["e smtpd_discard_ehlo_keywords=chunking"]),
    # the administrator's own checks stay
    (house({"smtpd_relay_restrictions": "permit_mynetworks, check_client_access hash:/ok, permit"}, smtp={}),
     ["e smtpd_relay_restrictions=permit_mynetworks, check_client_access hash:/ok, reject_unauth_destination, permit"]),
    (house({"smtpd_authorized_xclient_hosts": "198.51.100.0/24"}, smtp={}), ["e smtpd_authorized_xclient_hosts="]),
    # a service on another port has the purpose of its usual one
    (House({}, {"2465/inet": {"smtpd_tls_wrappermode": "no", **CERTIFIED}}, declared=("smtp-alt-2465",)),
     ["P 2465/inet/smtpd_tls_wrappermode=yes"]),
    # postscreen hands clients over to smtpd/pass: that is where an override stands, and where the login goes
    (House({"disable_vrfy_command": "no"}, {MX: {}, "smtpd/pass": {"disable_vrfy_command": "no"}}),
     ["P smtpd/pass/disable_vrfy_command=yes"]),
    (House({"smtpd_sasl_auth_enable": "yes"}, {MX: {}, "smtpd/pass": {}, "submission/inet": {}}),
     ["P smtpd/pass/smtpd_sasl_auth_enable=no"]),
    (House({"postscreen_greet_action": "ignore"}, {MX: {}, "smtpd/pass": {}}), ["e postscreen_greet_action=enforce"]),
    # nothing to say of a master.cf service that takes no mail
    (house({"debug_peer_list": "192.0.2.9"}), ["e debug_peer_list="]),
]  # fmt: skip


@pytest.mark.parametrize(("house", "expected"), CASES, ids=[str(n) for n in range(len(CASES))])
def test_postfix(house: House, expected: list[str]) -> None:
    plan = house.plan()
    assert acts(plan) == expected
    assert all(step.kind is Kind.POSTFIX for step in plan.doing)
    assert acts(house.done(plan).plan()) == []


def test_steps_of_one_daemon_share_check_and_reload() -> None:
    plan = house({"disable_vrfy_command": "no", "smtpd_tls_loglevel": "0"}, smtp={}).plan()
    assert len(plan.doing) == 2
    assert {(step.checks, step.settles) for step in plan.doing} == {(plan.doing[0].checks, plan.doing[0].settles)}
    assert plan.doing[0].settles[0].argv == ("postfix", "-c", "/etc/postfix", "reload")


def test_interfaces_take_a_stop_and_a_start() -> None:
    one = house({"inet_interfaces": "192.0.2.5, 192.0.2.99"}, smtp={})
    assert by_hand(one.plan()) == ["postfix.trust.interfaces"]
    step = one.plan(Wishes(insist=frozenset({"postfix.trust.interfaces"}))).doing[0]
    assert [act.argv[-1] for act in (*step.acts, *step.settles)] == [
        "inet_interfaces=192.0.2.5, 127.0.0.1, ::1", "stop", "start",
    ]  # fmt: skip


def test_networks_become_what_is_declared() -> None:
    wide = house({"mynetworks": "127.0.0.0/8 [::1]/128 10.0.0.0/8 198.51.100.7"}, smtp={})
    clients = Host(NAME, ("192.0.2.5", "2001:db8::5"), (), relay_clients=("office", "2001:db8:7::/64"))
    assert acts(wide.plan()) == ["e mynetworks=127.0.0.0/8 [::1]/128"]
    zone = Zone("office", (ip_network("198.51.100.0/28"),))
    plan = replace(wide, host=clients, zones=(zone,)).plan()
    assert acts(plan) == ["e mynetworks=127.0.0.0/8 [::1]/128 198.51.100.7/32 198.51.100.0/28 [2001:db8:7::]/64"]


def test_a_table_among_the_networks_is_for_a_person() -> None:
    plan = house({"mynetworks": "0.0.0.0/0, cidr:/etc/postfix/networks"}, smtp={}).plan()
    assert (acts(plan), by_hand(plan)) == ([], ["postfix.relay.mynetworks"])
    assert "cidr:/etc/postfix/networks" in plan.steps[0].why


def test_what_only_refers_is_mended_with_what_it_refers_to() -> None:
    """The exclusions default to $mynetworks: one change, and both promises."""
    both = House(
        {"mynetworks": "0.0.0.0/0", "smtpd_forbid_bare_newline": "normalize",
         "smtpd_forbid_bare_newline_exclusions": "0.0.0.0/0"},
        {MX: {}}, default=frozenset({"smtpd_forbid_bare_newline_exclusions"}),
    )  # fmt: skip
    plan = both.plan()
    assert acts(plan) == ["e mynetworks=127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128"]
    assert {one.partition("/")[0] for one in plan.doing[0].promises} == {"GP-RELAY-002", "GP-RELAY-005"}


def test_what_is_lacking_first_is_told() -> None:
    naked = house({"smtpd_tls_security_level": "may"}, submission={})
    plan = naked.plan()
    assert acts(plan) == []
    assert "No certificate is configured" in next(s.why for s in plan.steps if s.key.endswith("tls.level.submission"))
    alone = replace(house({"smtpd_sasl_auth_enable": "yes"}, smtp={}), declared=("smtp",))
    assert (acts(alone.plan()), by_hand(alone.plan())) == ([], ["postfix.sasl.mx_off"])
    assert by_hand(house({"smtpd_sasl_auth_enable": "no"}, submissions={}).plan()) == ["postfix.sasl.submission_on"]
    ready = house({"smtpd_sasl_auth_enable": "no", "smtpd_sasl_path": "private/auth"}, submissions={})
    assert acts(ready.plan()) == ["P submissions/inet/smtpd_sasl_auth_enable=yes"]


def test_a_version_without_the_setting_is_upgraded_by_hand() -> None:
    old = replace(house({"smtpd_tls_loglevel": "1"}, smtp={}), versions=("3.3.0", ""))
    told = [step.why for step in old.plan().steps if step.key.endswith("bare_newline")]
    assert len(told) == 1
    assert "postfix 3.3.0 has no such setting: upgrade" in told[0]


def test_dovecot_gets_one_file() -> None:
    one = House(
        dovecot={("", "ssl"): "yes", ("", "ssl_cert"): "</etc/ssl/a.pem", ("", "ssl_min_protocol"): "TLSv1.2",
                 ("protocol imap", "ssl_min_protocol"): "TLSv1", ("", "auth_verbose"): "no"},
        listeners={"imap-login/imap": 143, "imap-login/imaps": 993},
    )  # fmt: skip
    plan = one.plan()
    assert written(plan) == {
        "ssl": "required", "auth_verbose": "yes", "protocol imap/ssl_min_protocol": "TLSv1.2",
    }  # fmt: skip
    step = plan.doing[0]
    assert [(w.path, w.mode) for w in step.writes] == [("/etc/dovecot/conf.d/zz-gatepost.conf", 0o644)]
    assert (step.acts, step.touches) == ((), ())  # the directory is included as it is
    assert one.done(plan).plan().doing == ()


def test_waived_findings_are_left_alone() -> None:
    """A host that nobody declared, and a fault that somebody answers for, are not ours to change."""
    one = house({"disable_vrfy_command": "no"}, smtp={})
    assert replace(one, host=Host("other.example.org", ("192.0.2.6",), ())).plan().steps == ()


def test_what_sends_old_senders_back_in_clear_is_decided_by_a_person() -> None:
    """Old TLS is better than none where mail comes in, and the log tells who needs it; users get new programs."""
    floor = house(
        {"smtpd_tls_protocols": ">=TLSv1", "smtpd_tls_mandatory_protocols": ">=TLSv1"}, smtp={}, submission={}
    )
    told = floor.plan()
    assert acts(told) == ["e smtpd_tls_mandatory_protocols=>=TLSv1.2"]
    assert by_hand(told) == ["postfix.tls.protocols.opportunistic"]
    assert "zgrep" in told.steps[-1].diff
    insisted = floor.plan(Wishes(insist=frozenset({"postfix.tls.protocols.opportunistic"})))
    assert "e smtpd_tls_protocols=>=TLSv1.2" in acts(insisted)


def test_so_is_the_key_exchange_that_strangers_use() -> None:
    one = house(CERTIFIED, smtp={}, submission={})
    audit = one.audit()
    seen = tuple(
        Finding("GP-TLS-005", "forward-secret", place, Role.MX, Outcome.FAIL, Severity.MEDIUM, "kRSA", (), "", (place,))
        for place in (f"{NAME}:25", f"{NAME}:587")
    )
    told = replace(audit, findings=(*audit.findings, *seen))
    plans = [
        plan(told, matrix(one.architecture), (one.bundle(),), now=NOW, wishes=Wishes(insist=frozenset(insist)))
        for insist in ((), ("postfix.wire.key_exchange.mx",))
    ]
    exclusion = "e smtpd_tls_exclude_ciphers=kRSA, kDHE"
    assert by_hand(plans[0]) == ["postfix.wire.key_exchange.mx"]
    assert [exclusion in acts(one) for one in plans] == [False, True]
    assert [seen[0].id in {name for step in one.doing for name in step.promises} for one in plans] == [False, True]


OWNED = {"smtpd_sasl_auth_enable": "yes", "smtpd_sender_login_maps": "hash:/etc/postfix/owners"}
LISTENS = SocketSeen(AT, "127.0.0.1", 11332, 4, dual=False, process="rspamd")


@pytest.mark.parametrize(
    ("house", "insist", "expected"),
    [
        (house({**OWNED, "smtpd_sender_restrictions": "permit_sasl_authenticated"}, submission={}), "sender_owner",
         ["e smtpd_sender_restrictions=reject_authenticated_sender_login_mismatch, permit_sasl_authenticated"]),
        (house({"smtpd_sasl_auth_enable": "yes", "smtpd_sender_login_maps": ""}, submission={}), "sender_owner", []),
        (house({**OWNED, "smtpd_sender_restrictions": "check_x { a"}, submission={}), "sender_owner", []),
        (replace(house({"smtpd_milters": ""}, smtp={}, submission={}), more=(LISTENS,)), "filter",
         ["e smtpd_milters=inet:127.0.0.1:11332"]),
        (house({"smtpd_milters": ""}, smtp={}), "filter", []),
        (replace(house({"smtpd_milters": ""}, smtp={}), more=(replace(LISTENS, address="0.0.0.0"),)), "filter", []),
    ],
)  # fmt: skip
def test_what_stands_idle_is_set_in_force_when_the_operator_says_so(
    house: House, insist: str, expected: list[str]
) -> None:
    name = f"postfix.wire.{insist}"
    assert acts(house.plan()) == []
    made = house.plan(Wishes(insist=frozenset({name})))
    assert acts(made) == expected
    assert acts(house.done(made).plan(Wishes(insist=frozenset({name})))) == []
