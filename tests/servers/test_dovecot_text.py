"""The language of dovecot.conf, where it is easily read wrong."""

from __future__ import annotations

import pytest

from gatepost.model.host import Place
from gatepost.servers.dovecot_text import Key, beside, files, fits, flat, included, output

D = "/etc/dovecot/dovecot.conf"


def read(text: str, known: frozenset[str] = frozenset(), **others: str) -> dict[Key, str]:
    """`others` are files in conf.d, by the first part of their names."""

    def load(pattern: str, within: str) -> list[tuple[str, str]]:
        wanted = beside(pattern, within)
        every = {D: text} | {f"/etc/dovecot/conf.d/{name}.conf": body for name, body in others.items()}
        return sorted((path, body) for path, body in every.items() if fits(path, wanted))

    return {key: f"{value}@{place}" for key, (value, place) in flat(files(D, text, load), known).items()}


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("a = b", "b"),
        ("  a=b  ", "b"),
        ("a = b # comment", "b"),
        ("a = b#c", "b#c"),
        ('a = "b # c" # d', "b # c"),
        ("a = 'b # c'", "b # c"),
        (r'a = "b \" # c"', r'b " # c'),
        ("a =", ""),
        ("a = # comment", ""),
        ("a = b \\\n  c \\\n d", "b c d"),
        ("a = b = c", "b = c"),
        ("a = <</etc/x", "<</etc/x"),
    ],
)  # fmt: skip
def test_values(line: str, value: str) -> None:
    assert read(line) == {((), "a"): f"{value}@{D}:1"}


def test_output_has_no_comments_behind_values() -> None:
    assert flat(output("# 2.3.19 (x): y\na = # hidden, use -P to show it\n")) == {
        ((), "a"): ("# hidden, use -P to show it", None)
    }


@pytest.mark.parametrize("line", ["a", "= b", "a == b", "{", "} {", "a b", "# a = b", "!include", "a b c = d"])
def test_lines_that_set_nothing(line: str) -> None:
    assert read(f"{line}\nx = 1") == {((), "x"): f"1@{D}:2"}


def test_blocks_by_kind_and_name() -> None:
    text = 'service\timap-login {\n inet_listener "imaps" {\n  port = 993\n }\n}\n}\n'
    text += 'local_name "a b" {\n ssl = no\n}\nz = 1'
    assert list(read(text)) == [
        ((), "z"),
        (("service imap-login", "inet_listener imaps"), "port"),
        (("local_name a b",), "ssl"),
    ]


def test_each_passdb_of_2_3_is_one_more() -> None:
    text = "passdb {\n driver = sql\n}\npassdb {\n driver = sql\n}\npassdb {\n driver = pam\n}\n"
    assert [path[0] for path, _ in read(text)] == ["passdb sql", "passdb sql 2", "passdb pam"]


def test_the_last_value_of_the_same_block_wins() -> None:
    assert read("ssl = no\nprotocol imap {\n ssl = a\n}\nssl = yes\nprotocol imap {\n ssl = b\n}") == {
        ((), "ssl"): f"yes@{D}:5",
        (("protocol imap",), "ssl"): f"b@{D}:7",
    }


def test_includes_are_read_in_place_and_in_order() -> None:
    text = "a = 0\n!include conf.d/*.conf\nservice x {\n !include_try conf.d/y.conf\n}\n!include_try gone.conf\nc = 2"
    found = read(text, z="a = z", b="a = b", y="port = 1")
    assert found[(), "a"] == "z@/etc/dovecot/conf.d/z.conf:1"
    assert found[("service x",), "port"] == "1@/etc/dovecot/conf.d/y.conf:1"
    assert found[(), "c"] == f"2@{D}:7"


def test_a_file_that_includes_itself_ends() -> None:
    assert read("a = 1\n!include dovecot.conf\nb = 2")[(), "b"] == f"2@{D}:3"


NAMES = frozenset({"ssl_server_cert_file", "ssl_cipher_list", "mail_plugins"})


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("ssl_server {\n cert_file = x\n}", ((), "ssl_server_cert_file"), "x"),
        ("local_name y {\n ssl_server {\n  cert_file = x\n }\n}", (("local_name y",), "ssl_server_cert_file"), "x"),
        ("ssl_client {\n ssl_cipher_list = x\n}", (("ssl_client",), "ssl_cipher_list"), "x"),
        ("mail_plugins {\n a = yes\n b = no\n c = yes\n}", ((), "mail_plugins"), "a c"),
        ("fields {\n uid = 1\n}", ((), "fields"), "uid=1"),
        ("userdb static {\n fields {\n  uid = 1\n }\n}", (("userdb static",), "fields"), "uid=1"),
    ],
)
def test_blocks_without_a_name_in_2_4(text: str, key: Key, value: str) -> None:
    found = read(text, NAMES)
    assert list(found) == [key]
    assert found[key].startswith(f"{value}@")


def test_plugin_of_2_3_has_no_meaning_of_its_own() -> None:
    assert read("plugin {\n sieve = x\n}") == {((), "sieve"): f"x@{D}:2"}


@pytest.mark.parametrize(
    ("path", "pattern", "fit"),
    [
        ("/a/b.conf", "/a/*.conf", True),
        ("/a/c/b.conf", "/a/*.conf", False),
        ("/a/b.conf", "/a/?.conf", True),
        ("/a/b.conf", "/a/[bc].conf", True),
        ("/a/d.conf", "/a/[bc].conf", False),
        ("/a/b.conf", "/*/*.conf", True),
        ("/a/b[.conf", "/a/b[.conf", True),
    ],
)
def test_patterns(path: str, pattern: str, fit: bool) -> None:  # noqa: FBT001 - of the table
    assert fits(path, pattern) is fit


def test_where_includes_lead() -> None:
    assert included("!include a\n # !include b\n!include_try  c\n!includes d") == ["a", "c"]
    assert beside("../x/*.conf", D) == "/etc/x/*.conf"
    assert beside("/y", D) == "/y"
    assert str(Place(D, 3)) == f"{D}:3"
