"""The table of variants: every broken host fails exactly the controls it should, next to a good one that fails none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gatepost.model.audit import Audit
from gatepost.model.words import Outcome
from lab.estate import Estate
from lab.places import state_root, why_not
from lab.site import DOMAIN, Site
from lab.variants import Variant, variants
from tests.verdicts import audited, by_host

NET = "127.0.27"  # not that of `make lab`: both may be up
GOOD = Site(f"good.{DOMAIN}", f"{NET}.1")
TABLE = variants(NET)
# OpenSSL before 3.5 has no hybrid groups, and Postfix outside postscreen lets clients talk early.
STANDING = frozenset({"GP-TLS-008/hybrid-group-offered", "GP-RELAY-005/clients-wait-for-the-greeting"})

pytestmark = [
    pytest.mark.live,
    pytest.mark.xdist_group("lab"),
    pytest.mark.timeout(600),
    pytest.mark.skipif(bool(why_not()), reason=why_not()),
]


@pytest.fixture(scope="module")
def audit() -> Iterator[Audit]:
    """All of them at once, in one run of the product."""
    estate = Estate(state_root() / "test", (GOOD, *(variant.site for variant in TABLE)))
    estate.down()
    estate.up()
    try:
        yield audited(estate.declaration, estate.ca)
    finally:
        estate.down()


def failed(audit: Audit, host: str) -> dict[str, list[str]]:
    told = by_host(audit, Outcome.FAIL).get(host, {})
    kept = {c: [t for t in texts if f"{c}/{t.split(' ')[0]}" not in STANDING] for c, texts in told.items()}
    return {control: texts for control, texts in kept.items() if texts}


def test_the_good_host_is_in_order(audit: Audit) -> None:
    assert failed(audit, GOOD.name) == {}


@pytest.mark.parametrize("variant", TABLE, ids=lambda variant: variant.name)
def test_fails_what_it_should_and_nothing_else(audit: Audit, variant: Variant) -> None:
    found = failed(audit, variant.site.name)
    assert set(found) == variant.fails, found


@pytest.mark.parametrize("variant", TABLE, ids=lambda variant: variant.name)
def test_sees_what_the_good_host_shows(audit: Audit, variant: Variant) -> None:
    """A fault in one place must not blind the audit elsewhere."""
    unknown = by_host(audit, Outcome.UNKNOWN)
    blind = set(unknown[variant.site.name]) - set(unknown[GOOD.name]) - variant.fails - variant.unknown
    assert not blind, {control: unknown[variant.site.name][control] for control in blind}


def test_names_are_unique_and_there_are_enough() -> None:
    assert len({variant.name for variant in TABLE}) == len(TABLE) >= 40
