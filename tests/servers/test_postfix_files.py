"""main.cf and master.cf as Postfix reads them: logical lines, last assignment, braces."""

from __future__ import annotations

import pytest

from gatepost.servers.postfix_files import main_cf, master_cf, pairs


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a = b", {"a": ("b", 1)}),
        ("# x\n\na=b", {"a": ("b", 3)}),
        ("a = b\n  c\n\td", {"a": ("b c d", 1)}),
        ("a = b\n# in between\n\n  c", {"a": ("b c", 1)}),
        ("a =\n  b", {"a": ("b", 1)}),
        ("a = 1\na = 2", {"a": ("2", 2)}),
        ("  a = b", {"a": ("b", 1)}),
        ("a = b # not a comment", {"a": ("b # not a comment", 1)}),
        ("no assignment\na = b", {"a": ("b", 2)}),
        ("a b = c\n= d", {}),
        ("submission_x = 1 = 2", {"submission_x": ("1 = 2", 1)}),
        ("", {}),
    ],
)
def test_main_cf(text: str, found: dict[str, tuple[str, int]]) -> None:
    assert {name: (one.value, one.line) for name, one in main_cf(text).items()} == found


SMTP = "smtp inet n - y - - smtpd"


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (" -o a=b", [("a", "b", 1)]),
        (" -oa=b", [("a", "b", 1)]),
        ("\n -o a=b\n# c\n -o c=d -o e=", [("a", "b", 2), ("c", "d", 4), ("e", "", 4)]),
        ("\n -o { a = b c }", [("a", "b c", 2)]),
        ("\n -o { a =\n  b }\n -o c=d", [("a", "b", 2), ("c", "d", 4)]),
        ("\n -o {a=b} -o {c={d e}}", [("a", "b", 2), ("c", "{d e}", 2)]),
        (" -o { a = b", [("a", "b", 1)]),
        (" -o", []),
        (" -o a", []),
        (" -v -o a=b", [("a", "b", 1)]),
    ],
)
def test_options_of_a_service(options: str, found: list[tuple[str, str, int]]) -> None:
    (row,) = master_cf(SMTP + options)
    assert (row.key, row.command) == ("smtp/inet", "smtpd")
    assert [(one.name, one.value, one.line) for one in row.options] == found


def test_rows_that_are_none() -> None:
    rows = master_cf(f"# {SMTP}\nsmtp inet n - y - -\n\n{SMTP}\ngarbage\n[::1]:25 inet n - n - 1 postscreen")
    assert [(row.key, row.line) for row in rows] == [("smtp/inet", 4), ("[::1]:25/inet", 6)]


def test_what_postconf_says() -> None:
    assert pairs("a = b\nc =\nsubmission/inet/x = y = z\npostconf: warning: x\n") == {
        "a": "b", "c": "", "submission/inet/x": "y = z",
    }  # fmt: skip
