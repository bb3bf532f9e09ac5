"""Trees of DMARC records and the policy that holds in each, from the text and the examples of RFC 9989."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from gatepost.model.dns import Security
from gatepost.model.domain import DmarcSeen
from gatepost.records import dmarc
from gatepost.records.suffixes import of_lines
from tests.zone import Zone

LISTED = of_lines(["// VERSION: 2026-10-22_08-36-41_UTC", "com", "org", "net", "uk", "co.uk", "gov", "bank"])
RUA = "rua=mailto:d@example.org"
REJECT = "v=DMARC1; p=reject"
QUARANTINE = "v=DMARC1; p=quarantine"
NONE = "v=DMARC1; p=none"
DEEP = "a.b.c.d.e.f.g.h.i.j.mail.example.com"  # the example of section 4.10


def zone(records: Mapping[str, str | list[str]], *existing: str, security: Security = Security.INSECURE) -> Zone:
    """DMARC records by domain; names in `existing` have an address."""
    texts = {f"_dmarc.{name} TXT": [one] if isinstance(one, str) else one for name, one in records.items()}
    return Zone({**texts, **{f"{name} A": ["192.0.2.1"] for name in existing}}, security=security)


def look(domain: str, world: Zone) -> DmarcSeen:
    found = asyncio.run(dmarc.inspect(domain, world, LISTED))
    assert isinstance(found, DmarcSeen)
    return found


@dataclass(frozen=True)
class Row:
    """`policies`: in effect for the domain, its existing subdomains, and names that do not exist."""

    name: str
    domain: str
    records: dict[str, str | list[str]]
    policies: tuple[str, str, str]
    organisation: str
    at: str = ""  # where the record that applies stands
    exists: bool = True
    asked: int = 0  # questions of the walk, where they matter


NOBODY = ("", "", "")
ROWS = [
    # nothing, or nothing that counts
    Row("nothing", "example.com", {}, NOBODY, "example.com", asked=2),
    Row("nothing, deep", "a.mail.example.com", {}, NOBODY, "a.mail.example.com", asked=4),
    Row("a stray text", "example.com", {"example.com": "v=spf1 -all"}, NOBODY, "example.com"),
    Row("wrong case", "example.com", {"example.com": "v=dmarc1; p=reject"}, NOBODY, "example.com"),
    Row("no semicolon", "example.com", {"example.com": "v=DMARC1 p=reject"}, NOBODY, "example.com"),
    Row("version not first", "example.com", {"example.com": "p=reject; v=DMARC1"}, NOBODY, "example.com"),
    Row("two records", "example.com", {"example.com": [REJECT, NONE]}, NOBODY, "example.com"),
    Row("the same record twice", "example.com", {"example.com": [REJECT, REJECT]}, NOBODY, "example.com"),
    Row("no policy, no address", "example.com", {"example.com": "v=DMARC1"}, NOBODY, "example.com", "example.com"),
    Row("broken policy", "example.com", {"example.com": "v=DMARC1; p=x"}, NOBODY, "example.com", "example.com"),
    Row(
        "broken policy of the organisation",
        "mail.example.com",
        {"example.com": "v=DMARC1; p=x"},
        NOBODY,
        "example.com",
        "example.com",
    ),
    # the domain's own record
    Row("own", "example.com", {"example.com": REJECT}, ("reject",) * 3, "example.com", "example.com", asked=2),
    Row(
        "own, beside a stray text",
        "example.com",
        {"example.com": ["some verification", QUARANTINE]},
        ("quarantine",) * 3,
        "example.com",
        "example.com",
    ),
    Row(
        "own, beside one in the wrong case",
        "example.com",
        {"example.com": [REJECT, "v=dmarc1; p=none"]},
        ("reject",) * 3,
        "example.com",
        "example.com",
    ),
    Row(
        "sp is not for the domain itself",
        "example.com",
        {"example.com": f"{REJECT}; sp=none"},
        ("reject", "none", "none"),
        "example.com",
        "example.com",
    ),
    Row(
        "np is for names that do not exist",
        "example.com",
        {"example.com": f"{NONE}; np=reject"},
        ("none", "none", "reject"),
        "example.com",
        "example.com",
    ),
    Row(
        "np before sp",
        "example.com",
        {"example.com": f"{NONE}; sp=quarantine; np=reject"},
        ("none", "quarantine", "reject"),
        "example.com",
        "example.com",
    ),
    Row(
        "sp stands in for np",
        "example.com",
        {"example.com": f"{NONE}; sp=quarantine"},
        ("none", "quarantine", "quarantine"),
        "example.com",
        "example.com",
    ),
    Row(
        "missing policy with an address",
        "example.com",
        {"example.com": f"v=DMARC1; {RUA}"},
        ("none",) * 3,
        "example.com",
        "example.com",
    ),
    Row(
        "missing policy, but one for subdomains",
        "example.com",
        {"example.com": f"v=DMARC1; sp=reject; {RUA}"},
        ("none", "reject", "reject"),
        "example.com",
        "example.com",
    ),
    Row(
        "broken policy with an address",
        "example.com",
        {"example.com": f"v=DMARC1; p=x; np=reject; {RUA}"},
        ("none",) * 3,
        "example.com",
        "example.com",
    ),
    Row(
        "own, and it exists although it has no address",
        "mail.example.com",
        {"mail.example.com": NONE, "example.com": f"{NONE}; np=reject"},
        ("none", "none", "reject"),
        "example.com",
        "mail.example.com",
        exists=False,
    ),
    Row(
        "own, below an organisation: its sp is in vain",
        "mail.example.com",
        {"mail.example.com": f"{QUARANTINE}; sp=none", "example.com": f"{REJECT}; sp=reject"},
        ("quarantine", "reject", "reject"),
        "example.com",
        "mail.example.com",
    ),
    Row(
        "own, nothing above",
        "mail.example.com",
        {"mail.example.com": f"{REJECT}; sp=none"},
        ("reject", "none", "none"),
        "mail.example.com",
        "mail.example.com",
    ),
    # test mode takes one level off
    Row(
        "t=y, reject",
        "example.com",
        {"example.com": f"{REJECT}; t=y"},
        ("quarantine",) * 3,
        "example.com",
        "example.com",
    ),
    Row(
        "t=y, quarantine",
        "example.com",
        {"example.com": f"{QUARANTINE}; t=y"},
        ("none",) * 3,
        "example.com",
        "example.com",
    ),
    Row("t=y, none", "example.com", {"example.com": f"{NONE}; t=y"}, ("none",) * 3, "example.com", "example.com"),
    Row("t=n", "example.com", {"example.com": f"{REJECT}; t=n"}, ("reject",) * 3, "example.com", "example.com"),
    Row("t broken", "example.com", {"example.com": f"{REJECT}; t=1"}, ("reject",) * 3, "example.com", "example.com"),
    Row(
        "t=y, each level",
        "example.com",
        {"example.com": f"{REJECT}; sp=quarantine; np=none; t=y"},
        ("quarantine", "none", "none"),
        "example.com",
        "example.com",
    ),
    Row(
        "t=y of the organisation",
        "mail.example.com",
        {"example.com": f"{NONE}; sp=reject; t=y"},
        ("quarantine", "quarantine", "quarantine"),
        "example.com",
        "example.com",
    ),
    # pct counts for nothing
    Row("pct=0", "example.com", {"example.com": f"{REJECT}; pct=0"}, ("reject",) * 3, "example.com", "example.com"),
    # the organisation's record
    Row(
        "inherited p",
        "mail.example.com",
        {"example.com": REJECT},
        ("reject",) * 3,
        "example.com",
        "example.com",
        asked=3,
    ),
    Row(
        "inherited sp",
        "mail.example.com",
        {"example.com": f"{REJECT}; sp=none"},
        ("none", "none", "none"),
        "example.com",
        "example.com",
    ),
    Row(
        "inherited np",
        "mail.example.com",
        {"example.com": f"{NONE}; sp=none; np=reject"},
        ("reject", "none", "reject"),
        "example.com",
        "example.com",
        exists=False,
    ),
    Row(
        "np is not for names that exist",
        "mail.example.com",
        {"example.com": f"{NONE}; np=reject"},
        ("none", "none", "reject"),
        "example.com",
        "example.com",
    ),
    Row(
        "a missing name without np takes sp",
        "mail.example.com",
        {"example.com": f"{NONE}; sp=quarantine"},
        ("quarantine",) * 3,
        "example.com",
        "example.com",
        exists=False,
    ),
    Row(
        "fewest labels wins (second example of section 4.10.2)",
        "a.mail.example.com",
        {"mail.example.com": REJECT, "example.com": QUARANTINE},
        ("quarantine",) * 3,
        "example.com",
        "example.com",
        asked=4,
    ),
    Row(
        "a record in between is nobody's",
        "a.mail.example.com",
        {"mail.example.com": REJECT},
        ("reject",) * 3,
        "mail.example.com",
        "mail.example.com",
    ),
    Row(
        "two records in between, and the walk goes on",
        "a.mail.example.com",
        {"mail.example.com": [REJECT, NONE], "example.com": QUARANTINE},
        ("quarantine",) * 3,
        "example.com",
        "example.com",
    ),
    Row(
        "two own records, and the walk goes on",
        "mail.example.com",
        {"mail.example.com": [REJECT, NONE], "example.com": QUARANTINE},
        ("quarantine",) * 3,
        "example.com",
        "example.com",
    ),
    Row(
        "two records with psd=n do not stop it",
        "mail.example.com",
        {"mail.example.com": [f"{REJECT}; psd=n", f"{NONE}; psd=n"], "example.com": QUARANTINE},
        ("quarantine",) * 3,
        "example.com",
        "example.com",
    ),
    # psd=n
    Row(
        "psd=n (third example of section 4.10.2)",
        "a.mail.example.com",
        {"mail.example.com": f"{REJECT}; psd=n", "example.com": NONE},
        ("reject",) * 3,
        "mail.example.com",
        "mail.example.com",
        asked=2,
    ),
    Row(
        "own psd=n",
        "mail.example.com",
        {"mail.example.com": f"{REJECT}; sp=quarantine; psd=n", "example.com": NONE},
        ("reject", "quarantine", "quarantine"),
        "mail.example.com",
        "mail.example.com",
        asked=1,
    ),
    Row(
        "psd=n above an own record",
        "a.b.example.com",
        {"a.b.example.com": NONE, "b.example.com": f"{REJECT}; psd=n", "example.com": QUARANTINE},
        ("none", "reject", "reject"),
        "b.example.com",
        "a.b.example.com",
        asked=2,
    ),
    Row(
        "psd broken counts as u",
        "mail.example.com",
        {"mail.example.com": f"{REJECT}; psd=no", "example.com": NONE},
        ("reject", "none", "none"),
        "example.com",
        "mail.example.com",
        asked=3,
    ),
    # psd=y
    Row(
        "psd=y (last example of section 4.10.2)",
        "a.mail.example.com",
        {"com": f"{REJECT}; psd=y"},
        ("reject",) * 3,
        "example.com",
        "com",
        asked=4,
    ),
    Row(
        "psd=y of a suffix with two labels",
        "mail.shop.co.uk",
        {"co.uk": f"{NONE}; sp=none; np=reject; psd=y"},
        ("none", "none", "reject"),
        "shop.co.uk",
        "co.uk",
        asked=3,
    ),
    Row(
        "psd=y, and the name does not exist",
        "mail.shop.co.uk",
        {"co.uk": f"{NONE}; np=reject; psd=y"},
        ("reject", "none", "reject"),
        "shop.co.uk",
        "co.uk",
        exists=False,
    ),
    Row(
        "psd=y, and the organisation has a record",
        "mail.agency.gov",
        {"gov": f"{REJECT}; psd=y", "agency.gov": f"{NONE}; sp=quarantine"},
        ("quarantine",) * 3,
        "agency.gov",
        "agency.gov",
        asked=3,
    ),
    Row(
        "psd=y, and only a name in between has a record",
        "a.mail.agency.gov",
        {"gov": f"{REJECT}; psd=y", "mail.agency.gov": NONE},
        ("reject",) * 3,
        "agency.gov",
        "gov",
    ),
    Row(
        "psd=y of the domain itself",
        "gov",
        {"gov": f"{QUARANTINE}; sp=reject; np=none; psd=y"},
        ("quarantine", "reject", "none"),
        "gov",
        "gov",
        asked=1,
    ),
    Row(
        "psd=y of a domain that sends, and a suffix above",
        "co.uk",
        {"co.uk": f"{REJECT}; psd=y", "uk": f"{NONE}; psd=y"},
        ("reject",) * 3,
        "co.uk",
        "co.uk",
        asked=1,
    ),
    Row(
        "psd=y twice: the longer one ends the walk",
        "a.shop.co.uk",
        {"co.uk": f"{REJECT}; psd=y", "uk": f"{NONE}; psd=y"},
        ("reject",) * 3,
        "shop.co.uk",
        "co.uk",
        asked=3,
    ),
    Row(
        "psd=y right above",
        "example.bank",
        {"bank": f"{REJECT}; psd=y"},
        ("reject",) * 3,
        "example.bank",
        "bank",
        asked=2,
    ),
    Row(
        "a suffix without psd=y is the organisation of all",
        "mail.example.com",
        {"example.com": REJECT, "com": f"{NONE}; sp=none"},
        ("none",) * 3,
        "com",
        "com",
    ),
    Row(
        "a suffix without psd=y, and an own record",
        "example.com",
        {"example.com": REJECT, "com": f"{NONE}; sp=none"},
        ("reject", "none", "none"),
        "com",
        "example.com",
    ),
    Row(
        "psd=n keeps the names from a suffix without psd=y",
        "example.com",
        {"example.com": f"{REJECT}; psd=n", "com": f"{NONE}; sp=none"},
        ("reject",) * 3,
        "example.com",
        "example.com",
    ),
    # long names
    Row("eight questions (example of section 4.10)", DEEP, {}, NOBODY, DEEP, asked=8),
    Row("long, inherited", DEEP, {"example.com": REJECT}, ("reject",) * 3, "example.com", "example.com", asked=8),
    Row(
        "long, what is jumped over is not seen",
        DEEP,
        {"f.g.h.i.j.mail.example.com": NONE, "g.h.i.j.mail.example.com": REJECT},
        ("reject",) * 3,
        "g.h.i.j.mail.example.com",
        "g.h.i.j.mail.example.com",
    ),
    Row(
        "long, below a psd=y",
        DEEP,
        {"g.h.i.j.mail.example.com": f"{REJECT}; psd=y"},
        ("reject",) * 3,
        "f.g.h.i.j.mail.example.com",
        "g.h.i.j.mail.example.com",
        asked=2,
    ),
    Row(
        "long, own record, which names below do not see",
        DEEP,
        {DEEP: f"{REJECT}; psd=n", "example.com": QUARANTINE},
        ("reject", "quarantine", "quarantine"),
        DEEP,
        DEEP,
        asked=1,
    ),
    Row(
        "eight labels are asked one by one",
        "a.b.c.d.e.f.example.com",
        {"b.c.d.e.f.example.com": REJECT},
        ("reject",) * 3,
        "b.c.d.e.f.example.com",
        "b.c.d.e.f.example.com",
        asked=8,
    ),
    Row(
        "eight labels, own record, which names below do not see",
        "a.b.c.d.e.f.example.com",
        {"a.b.c.d.e.f.example.com": f"{REJECT}; psd=n", "example.com": QUARANTINE},
        ("reject", "quarantine", "quarantine"),
        "a.b.c.d.e.f.example.com",
        "a.b.c.d.e.f.example.com",
    ),
    Row(
        "nine labels jump to seven",
        "z.a.b.c.d.e.f.example.com",
        {"a.b.c.d.e.f.example.com": REJECT},
        NOBODY,
        "z.a.b.c.d.e.f.example.com",
        asked=8,
    ),
    # spelling
    Row("upper case", "Mail.Example.COM.", {"example.com": REJECT}, ("reject",) * 3, "example.com", "example.com"),
    Row("one label", "localhost", {}, NOBODY, "localhost", asked=1),
]
