"""No secret survives; line numbers and everything harmless do."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.servers.secrets import masked, masked_text

SECRET = "geh3im"

HIDDEN = [
    ("doveadm_password", SECRET, "***"),
    ("ssl_key_password", "# hidden, use -P to show it", "***"),
    ("auth_policy_server_api_header", f"Authorization: Basic {SECRET}", "***"),
    ("mysql_servers", f"localhost/db/user/{SECRET}", "***"),
    ("server_condition", f"${{if eq{{$auth2}}{{{SECRET}}}}}", "***"),
    ("smtp_sasl_password_maps", f"static:user:{SECRET}", "static:***"),
    ("smtp_sasl_password_maps", f"inline:{{ {{ mx = u:{SECRET} }} }}", "inline:***"),
    ("virtual_mailbox_maps", f"mysql:{{ user=x password={SECRET} }}", "mysql:{ user=x password=*** }"),
    ("proxy_read_maps", f"hash:/a static:u:{SECRET} static:5000", "hash:/a static:*** static:5000"),
    ("proxy_read_maps", f"inline:{{ {{ mx = u:{SECRET} }} }} hash:/a", "inline:*** hash:/a"),
    ("args", f"scheme=CRYPT password={{PLAIN}}{SECRET} allow", "scheme=CRYPT password=*** allow"),
    ("args", f'password="{SECRET} x" allow', "password=*** allow"),
    ("ldap_uri", f"ldap://u:{SECRET}@h/", "ldap://u:***@h/"),
    ("connect", f"host=h dbname=d password = {SECRET}", "host=h dbname=d password = ***"),
    ("command", f"pipe argv=/bin/x --password {SECRET} -f", "pipe argv=/bin/x --password *** -f"),
    ("command", f"pipe argv=/bin/x --token={SECRET}", "pipe argv=/bin/x --token=***"),
    ("args", f"nopassword x={{SHA512-CRYPT.b64}}{SECRET}", "nopassword x={SHA512-CRYPT.b64}***"),
    ("note", f"it was $6$salt${SECRET}", "it was ***"),
]
SHOWN = [
    ("auth_debug_passwords", "no"),
    ("auth_verbose_passwords", "sha1:6"),
    ("passdb_default_password_scheme", "crypt"),
    ("smtp_sasl_password_maps", "hash:/etc/postfix/sasl_passwd"),
    ("smtpd_tls_key_file", "/etc/ssl/private/mx1.key"),
    ("virtual_uid_maps", "static:5000"),
    ("virtual_mailbox_maps", "inline:{ alice@example.org=alice, bob@example.org=bob }"),
    ("passwd_file_path", "/etc/dovecot/users"),
    ("doveadm_password", ""),
    ("smtpd_recipient_restrictions", "permit_mynetworks, check_policy_service inet:127.0.0.1:10023, reject"),
    ("login_log_format_elements", "user=<%u> method=%m rip=%r lip=%l mpid=%e %c session=<%{session}>"),
]


@pytest.mark.parametrize(("name", "value", "shown"), HIDDEN)
def test_secrets_are_hidden_in_values(name: str, value: str, shown: str) -> None:
    assert masked(name, value) == shown


@pytest.mark.parametrize(("name", "value", "shown"), HIDDEN)
def test_and_in_lines(name: str, value: str, shown: str) -> None:
    assert SECRET not in masked_text(f"first = 1\n{name} = {value}\n  {name} = {value}\n#{name} = {value}\n")
    assert masked_text(f"{name} = {value}") == f"{name} = {shown}"


def test_a_list_of_users_that_a_configuration_includes() -> None:
    """`!include` takes any file, also shadow(5)."""
    lines = (
        f"root:$6$rounds=5000$salt${SECRET}/abc.:19000:0:99999:7:::",
        f"alice:{{SSHA512}}{SECRET}AB==:1000:::",
        f"bob:{{PLAIN}}{SECRET}::::::",
        f"carol:$y$j9T$abc${SECRET}:1:",
        f"dora:{SECRET}:1000:1000::/home/d::",
    )
    shown = masked_text("\n".join(lines))
    assert SECRET not in shown
    assert shown.split("\n")[4] == "dora:***:1000:1000::/home/d::"


@pytest.mark.parametrize(
    "line",
    [
        "2001:db8:1:2::5:25 inet n - n - - smtpd",
        "[2001:db8:1:2::5]:25 inet n - n - - smtpd",
        "mail_location = maildir:~/Maildir:LAYOUT=fs:INDEX=/var/i:CONTROL=/c",
        "mynetworks = 127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128",
        "myorigin = $myhostname$mydomain",
        "data_directory = ${QUEUE}/private",
        "check_policy_service { inet:127.0.0.1:10023, timeout=10s }",
    ],
)
def test_what_only_looks_like_one(line: str) -> None:
    assert masked_text(f"{line}\n") == f"{line}\n"


@pytest.mark.parametrize(
    "piece",
    [
        "inline:{",
        "inline:{a{b}",
        "{A}",
        "a_",
        "x://",
        "$6$",
        "a:b:",
        "Basic ",
        "-",
        '"',
        "pass=\n ",
        "-----BEGIN PRIVATE KEY-----",
    ],
)
def test_a_megabyte_is_read_in_time(piece: str) -> None:
    begun = time.monotonic()
    masked_text(piece * (1_000_000 // len(piece)), folded=True)
    assert time.monotonic() - begun < 20


@pytest.mark.parametrize(("name", "value"), SHOWN)
def test_harmless_settings_are_shown(name: str, value: str) -> None:
    assert masked(name, value) == value
    assert masked_text(f"{name} = {value}\n") == f"{name} = {value}\n"


def test_postfix_folds_values_over_lines() -> None:
    text = f"ldap_bind_pw =\n  {SECRET}\n\t{SECRET}\nnext = 1\nmaps = mysql:{{ password =\n   {SECRET} }}\nlast = 2\n"
    shown = masked_text(text, folded=True)
    assert shown == "ldap_bind_pw =\n  ***\n\t***\nnext = 1\nmaps = mysql:{ password =\n   *** }\nlast = 2\n"


def test_an_empty_password_in_a_block_hides_nothing_else() -> None:
    assert masked_text("  password =\n  ssl = no\n") == "  password =\n  ssl = no\n"


def test_exim_hides_with_a_word_and_joins_with_a_backslash() -> None:
    text = f"hide acl_secrets = {SECRET} : \\\n  {SECRET}\nhide tls_privatekey = /etc/k\nnext = 1\n"
    assert masked_text(text) == "hide acl_secrets = *** \\\n  ***\nhide tls_privatekey = /etc/k\nnext = 1\n"


@pytest.mark.parametrize("end", ["-----END EC PRIVATE KEY-----\nssl = yes\n", ""])
def test_private_keys_are_never_kept(end: str) -> None:
    text = f"ssl_key = -----BEGIN EC PRIVATE KEY-----\nMII{SECRET}\n{end}"
    shown = masked_text(text)
    assert SECRET not in shown
    assert shown.count("\n") == text.count("\n")


@given(st.text(alphabet=st.sampled_from('ab =\n\t\\#"{}:password-BEGIN PRIVATE KEY'), max_size=200), st.booleans())
def test_line_numbers_survive_and_twice_is_once(text: str, folded: bool) -> None:  # noqa: FBT001 - hypothesis gives it
    once = masked_text(text, folded=folded)
    assert once.count("\n") == text.count("\n")
    assert masked_text(once, folded=folded) == once
