"""Truth tables of the operators, and the small readers behind them: networks, restrictions, cipher strings."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.catalogue.settings import Safe, setting
from gatepost.checks.settings import ciphers
from gatepost.checks.settings.answer import Answer, Held
from gatepost.checks.settings.networks import Trusted, read, within
from gatepost.checks.settings.predicates import OPERATORS
from gatepost.checks.settings.restrictions import refuses_strangers
from gatepost.checks.settings.spots import Asked, Spot
from gatepost.model.host import ServerSeen, SettingSeen
from tests.checks.cases import HOST, case
from tests.checks.host_cases import DECLARED, DOVECOT, POSTFIX

YES, NO, DOUBT = Held.HOLDS, Held.FAILS, Held.CANNOT_TELL


def answered(op: str, value: str, *, software: str = "postfix", default: bool = False, **safe: Any) -> Answer:
    row = setting("postfix.tls.level.mx" if software == "postfix" else "dovecot.tls.min_protocol")
    instance = POSTFIX if software == "postfix" else DOVECOT
    seen = SettingSeen(HOST, software, instance, "", "name", value, default=default)
    asked = Asked(case(HOST, seen, **DECLARED), row, Spot(ServerSeen(HOST, software, "", instance)))
    return OPERATORS[op](seen, replace(Safe(op), **safe), asked)


@pytest.mark.parametrize(
    ("op", "safe", "value", "held"),
    [
        ("eq", {"values": ("yes",)}, " YES ", YES),
        ("eq", {"values": ("yes",)}, "no", NO),
        ("ne", {"values": ("0",)}, "5", YES),
        ("ne", {"values": ("0",)}, "0", NO),
        ("in", {"values": ("no", "sha1:*")}, "sha1:6", YES),
        ("in", {"values": ("no", "sha1:*")}, "plain", NO),
        ("empty", {}, "  ", YES),
        ("empty", {}, "x", NO),
        ("not_empty", {}, "x", YES),
        ("not_empty", {}, "", NO),
        ("int_between", {"low": 1, "high": 50}, "50", YES),
        ("int_between", {"low": 1, "high": 50}, "51", NO),
        ("int_between", {"low": 1, "high": 50}, "-3", DOUBT),
        ("int_between", {"low": 1, "high": 50}, "٣", DOUBT),
        ("int_ge", {"low": 1}, "0", NO),
        ("int_ge", {"low": 1}, "9" * 40, DOUBT),
        ("seconds_le", {"high": 3600}, "1h", YES),
        ("seconds_le", {"high": 3600}, "61m", NO),
        ("seconds_le", {"high": 3600}, "1 hours", YES),
        ("seconds_le", {"high": 3600}, "2 weeks", NO),
        ("seconds_le", {"high": 3600}, "500 ms", YES),
        ("seconds_le", {"high": 3600}, "a while", DOUBT),
        ("seconds_ge", {"low": 2}, "2 secs", YES),
        ("seconds_ge", {"low": 2}, "1", NO),
        ("version_ge", {"values": ("2",)}, "3.6", YES),
        ("version_ge", {"values": ("2",)}, "1", NO),
        ("version_ge", {"values": ("2",)}, "latest", DOUBT),
        ("tls_min", {"values": ("TLSv1.2",)}, ">=TLSv1.2", YES),
        ("tls_min", {"values": ("TLSv1.2",)}, ">= TLSv1.2", DOUBT),
        ("tls_min", {"values": ("TLSv1.2",)}, ">=0303", YES),
        ("tls_min", {"values": ("TLSv1.2",)}, ">=TLSv1.3, <=TLSv1.3", YES),
        ("tls_min", {"values": ("TLSv1.2",)}, "!SSLv3, !TLSv1, !TLSv1.1", YES),
        ("tls_min", {"values": ("TLSv1.2",)}, "!SSLv2,!SSLv3,!TLSv1", NO),
        ("tls_min", {"values": ("TLSv1.2",)}, "TLSv1.2 TLSv1.3", YES),
        ("tls_min", {"values": ("TLSv1.2",)}, "TLSv1, TLSv1.2", NO),
        ("tls_min", {"values": ("TLSv1.2",)}, "", NO),
        ("tls_min", {"values": ("TLSv1.2",)}, ">=TLSv1.3 <=TLSv1.2", NO),
        ("tls_min", {"values": ("TLSv1.2",)}, "!!TLSv1", DOUBT),
        ("tokens_include_all", {"values": ("notify", "mail_log")}, "quota, mail_log notify", YES),
        ("tokens_include_all", {"values": ("notify", "mail_log")}, "notify mail_logger", NO),
        ("tokens_include_any", {"values": ("kRSA", "RSA")}, "aNULL, krsa", YES),
        ("tokens_include_any", {"values": ("kRSA", "RSA")}, "aNULL", NO),
        ("tokens_exclude", {"values": ("starttls",)}, "chunking", YES),
        ("tokens_exclude", {"values": ("starttls",)}, "CHUNKING,STARTTLS", NO),
        ("contains_all", {"values": ("%k", "lport=|%a")}, "x %k lport=%a", YES),
        ("contains_all", {"values": ("%k", "lport=|%a")}, "x %k", NO),
        ("mode_max", {"values": ("0660",)}, "0600", YES),
        ("mode_max", {"values": ("0660",)}, "0666", NO),
        ("mode_max", {"values": ("0660",)}, "rw-", DOUBT),
        ("empty_unless_declared", {"values": ("declared.proxies",)}, "", YES),
        ("empty_unless_declared", {"values": ("declared.proxies",)}, "haproxy", NO),
        ("endpoints_within", {"values": ("declared.milters",)}, "", YES),
        ("endpoints_within", {"values": ("declared.milters",)}, "inet:port@localhost local:x /run/y", YES),
        ("endpoints_within", {"values": ("declared.milters",)}, "inet:rspamd:11332", NO),
        ("endpoints_within", {"values": ("declared.milters",)}, "inet:", DOUBT),
    ],
)  # fmt: skip
def test_operator(op: str, safe: dict[str, Any], value: str, held: Held) -> None:
    assert answered(op, value, **safe).held is held


@pytest.mark.parametrize(
    ("value", "held"),
    [("TLSv1.2", YES), ("TLSv1.3", YES), ("latest", YES), ("TLSv1.1", NO), ("ANY", NO), ("", DOUBT), ("1.2", DOUBT)],
)
def test_in_dovecot_a_protocol_is_a_floor(value: str, held: Held) -> None:
    assert answered("tls_min", value, software="dovecot", values=("TLSv1.2",)).held is held


def test_a_value_that_nobody_wrote_is_told_apart() -> None:
    assert answered("not_set_in_main_cf", "x", default=True).holds
    assert answered("not_set_in_main_cf", "x").fails


OFFICE = Trusted("relay_clients", (ip_network("127.0.0.0/8"), ip_network("10.1.0.0/16"), ip_network("10.0.0.0/16")),
                 frozenset({"mail.example.org"}), never=("0.0.0.0/0",))  # fmt: skip


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("", YES),
        ("127.0.0.0/8, 10.1.2.0/24", YES),
        ("10.0.0.0/15", YES),  # two neighbours together
        ("10.0.0.0/14", NO),
        ("[::ffff:127.0.0.0]/104", YES),
        ("::ffff:10.9.0.0/112", NO),
        ("localhost MAIL.example.org.", YES),
        ("fe80::1%eth0", NO),
        ("0.0.0.0/0", NO),
        ("!10.2.0.0/15 10.0.0.0/14", YES),  # what is left is declared
        ("10.0.0.0/14 !10.2.0.0/15", NO),  # the first match decides
        ("cidr:/etc/postfix/mynetworks", DOUBT),
        ("/etc/postfix/mynetworks", DOUBT),
        ("cidr:/x 192.168.0.0/16", NO),  # a failure is one whatever the table says
        ("other.example.net", NO),
        ("10.1.0.0/99", NO),
    ],
)
def test_networks(text: str, held: Held) -> None:
    assert within(text, OFFICE).held is held


def test_without_a_declaration_nobody_knows() -> None:
    assert within("10.9.0.0/16", replace(OFFICE, known=False)).held is DOUBT
    assert within("0.0.0.0/0", replace(OFFICE, known=False)).held is NO


def test_what_postfix_computes_from_its_interfaces_is_itself() -> None:
    assert within("203.0.113.7/32 [2001:db8::7]/128", replace(OFFICE, computed=True)).held is YES
    assert within("203.0.113.0/24", replace(OFFICE, computed=True)).held is NO


@given(text=st.text(alphabet="0123456789abcdef.:/[]!%,- x", max_size=60))
def test_any_list_of_networks_is_read_or_doubted(text: str) -> None:
    assert within(text, OFFICE).held in Held
    read(text)


WALK = setting("postfix.relay.restrictions").safe
CLASSES = {
    "strict": "reject_unauth_destination", "loose": "permit", "endless": "endless", "permit_mx_backup_networks": "",
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "held", "says"),
    [
        ("permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination", YES, ""),
        ("permit_sasl_authenticated,reject", YES, ""),
        ("reject_unknown_sender_domain reject_rbl_client zen.example, defer", YES, ""),
        ("permit_mynetworks", NO, "the list ends without reject_unauth_destination"),
        ("", NO, "the list ends"),
        ("permit, reject_unauth_destination", NO, "permit comes before"),
        ("permit_tls_all_clientcerts reject", NO, "permit_tls_all_clientcerts comes before"),
        ("permit_dnswl_client list.example reject", NO, "permit_dnswl_client list.example comes before"),
        ("warn_if_reject reject_unauth_destination", NO, "the list ends"),
        ("check_recipient_access hash:/etc/postfix/ok, reject", DOUBT, "was not read"),
        ("check_recipient_access hash:/etc/postfix/ok, permit", NO, "permit comes before"),
        ("check_client_access inline:{10.0.0.1=REJECT}, reject", YES, ""),
        ("check_client_access inline:{10.0.0.1=REJECT, 10.0.0.2=OK}, reject", NO, "answers OK"),
        ("check_client_access static:OK, reject", NO, "answers OK"),
        ("check_client_access static:{550 go away}, reject", YES, ""),
        ("check_client_access static:loose, reject", DOUBT, "is not known here"),
        ("check_sasl_access hash:/x reject", YES, ""),
        ("check_policy_service { unix:private/policy, timeout=10s } reject", DOUBT, "may permit"),
        ("reject_unauth_destination, check_policy_service unix:private/policy", YES, ""),
        ("hash:/etc/postfix/access, reject", DOUBT, "the table hash:/etc/postfix/access"),
        ("strict", YES, ""),
        ("loose, reject", NO, "permit comes before"),
        ("unheard_of, reject", DOUBT, "unheard_of stands before the refusal"),
        ("endless", DOUBT, "endless"),
        ("permit_mx_backup, reject", NO, "permit_mx_backup lets anybody"),
        ("permit_auth_destination, reject", YES, ""),
        ("sleep 5 defer_unauth_destination", YES, ""),
    ],
)
def test_restrictions(text: str, held: Held, says: str) -> None:
    answer = refuses_strangers(text, WALK, CLASSES.get)
    assert (answer.held, says in answer.because) == (held, True), answer.because


KINDS = setting("dovecot.tls.ciphers").safe.values


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("ALL:!kRSA:!SRP:!kDHd:!DSS:!aNULL:!eNULL:!EXPORT:!DES:!3DES:!MD5:!PSK:!RC4:!ADH:!LOW@STRENGTH", YES),
        ("ECDHE+AESGCM:ECDHE+CHACHA20", YES),
        ("HIGH:!aNULL:!MD5", NO),  # RSA key exchange
        ("ECDHE-RSA-AES256-GCM-SHA384:AES256-SHA", NO),
        ("ALL:!kRSA:!aNULL", DOUBT),  # old libraries still have RC4
        ("DEFAULT:!kRSA", YES),
        ("DEFAULT:!kRSA:eNULL", YES),  # DEFAULT shuts it out for good
        ("ALL:COMPLEMENTOFALL:!kRSA:!RC4:!3DES", NO),
        ("PROFILE=SYSTEM", DOUBT),
        ("HIGH:!WHATEVER", DOUBT),
        ("", YES),
        ("x" * 5000, DOUBT),
    ],
)
def test_cipher_strings(text: str, held: Held) -> None:
    assert ciphers.excludes(text, KINDS).held is held


def test_removing_lets_come_back_and_banning_does_not() -> None:
    assert ciphers.excludes("kRSA:-kRSA", KINDS).holds
    assert ciphers.excludes("kRSA:-kRSA:kRSA", KINDS).fails
    assert ciphers.excludes("kRSA:!kRSA:kRSA", KINDS).holds


_STRINGS = st.lists(
    st.tuples(st.sampled_from(["", "", "!", "-", "+"]), st.sampled_from([
        "ALL", "HIGH", "kRSA", "RSA", "ECDHE", "EECDH+AESGCM", "EDH", "aNULL", "aRSA", "DSS", "AES128", "AESCCM",
        "CAMELLIA", "ARIA", "CHACHA20", "SHA1", "SHA256", "CBC", "TLSv1.2", "SSLv3", "COMPLEMENTOFDEFAULT", "eNULL",
        "ECDHE-RSA-AES128-GCM-SHA256", "AES256-SHA", "ECDH", "DH", "ADH", "kECDHE",
    ])), min_size=1, max_size=7,
).map(lambda pairs: ":".join(sign + word for sign, word in pairs))  # fmt: skip


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
@pytest.mark.parametrize("first", ["ALL", "DEFAULT", "HIGH:!aNULL"])
def test_the_library_itself_leaves_the_same_suites(first: str) -> None:
    pieces = ["!kRSA", "-SHA1", "+HIGH", "!AESCCM:eNULL", "EDH", "!CAMELLIA", "aECDSA"]
    for one in pieces:
        for other in ("", ":!ECDHE"):
            text = f"{first}:{one}{other}"
            ran = subprocess.run(["openssl", "ciphers", f"{text}:@SECLEVEL=0"], capture_output=True, check=False)
            listed = ran.stdout.decode().strip().split(":") if ran.returncode == 0 else []
            wanted = {c for c in listed if not c.startswith("TLS_") and "PSK" not in c and "SRP" not in c}
            assert ciphers._Left.of(text).suites & ciphers._now() == wanted, text


@given(text=st.one_of(_STRINGS, st.text(max_size=80)))
def test_any_cipher_string_is_worked_out_or_doubted(text: str) -> None:
    assert ciphers.excludes(text, KINDS).held in Held
