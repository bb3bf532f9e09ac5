"""`python -m lab up|down|status`: a good mail host and its domain on loopback, and broken ones beside it.

`python -m lab realm up|down|status`: a mail host in a namespace, with zones around it, fit or unfit.
"""

from __future__ import annotations

import argparse
import sys

from lab.domain import MailDomain
from lab.estate import Estate
from lab.names import why_no_names
from lab.oddities import WORTH_A_LOOK
from lab.places import SHOWN, state_root
from lab.realm.command import VERBS, realm
from lab.realm.host import State
from lab.site import DOMAIN, Site
from lab.variants import Variant, estate, variants
from lab.zones import Net

GOOD = Site(f"mail.{DOMAIN}", "127.0.25.1")
AUDIT = "./gatepost audit -c .lab/gatepost.toml --ca .lab/ca.pem"


def good() -> MailDomain:
    return MailDomain(state_root() / "good", Net("127.0.25"), GOOD, stock=True)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m lab", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    up = verbs.add_parser("up", help="start the good host, and broken variants beside it")
    up.add_argument("variant", nargs="*", help="names of broken variants, or `all`")
    verbs.add_parser("down", help="stop everything and remove its files")
    verbs.add_parser("status", help="what runs, and which variants there are")
    costs = verbs.add_parser("bench", help="what a look costs, next to other scanners where installed")
    costs.add_argument("--install-peers", action="store_true", help="install them first (Debian, PyPI)")
    costs.add_argument("--peers", default="", help="only these, comma separated; `none` for none")
    whole = verbs.add_parser("realm", help="a mail host in a namespace, with the zones around it")
    whole.add_argument("what", choices=VERBS)
    whole.add_argument("--state", choices=tuple(State), default=State.UNFIT, help="fit or unfit (the default)")
    chosen = parser.parse_args(arguments)
    match chosen.verb:
        case "up":
            _up(_chosen(chosen.variant))
        case "down":
            _down()
        case "bench":
            from lab.bench import bench

            bench(install=chosen.install_peers, only=tuple(filter(None, chosen.peers.split(","))))
        case "realm":
            realm(chosen.what, chosen.state)
        case _:
            _status()
    return 0


def _up(wanted: tuple[Variant, ...]) -> None:
    domain = good()
    if reason := why_no_names():
        print(f"lab: no domain beside the host: {reason}", file=sys.stderr)
        domain.estate.up()
    else:
        domain.up()
    SHOWN.mkdir(exist_ok=True)
    for made in (domain.estate.declaration, domain.estate.ca):
        (SHOWN / made.name).write_bytes(made.read_bytes())
    print(f"{AUDIT} --address {GOOD.address} {GOOD.name}")
    if not reason:
        _of_domain(domain)
    if wanted:
        broken = estate(wanted)
        broken.down()
        broken.up()
        for variant in wanted:
            print(_command(broken, variant.site.address, variant.site.name))


def _of_domain(domain: MailDomain) -> None:
    print(f"{AUDIT} {DOMAIN}")
    for name, story in WORTH_A_LOOK.items():
        print(f"{AUDIT} {name}  # {story}")
    print(f"dig @{domain.net.resolver} +dnssec {DOMAIN} MX")


def _down() -> None:
    good().down()
    estate(()).down()
    for name in ("gatepost.toml", "ca.pem"):
        (SHOWN / name).unlink(missing_ok=True)
    if SHOWN.exists() and not any(SHOWN.iterdir()):
        SHOWN.rmdir()


def _status() -> None:
    domain = good()
    up = {"good": domain.estate.running, "its names": domain.names.running, "variants": estate(()).running}
    print(", ".join(f"{what}: {'up' if runs else 'down'}" for what, runs in up.items()))
    print(_listing())


def _command(of: Estate, address: str, name: str) -> str:
    return f"./gatepost audit -c {of.declaration} --ca {of.ca} --address {address} {name}"


def _chosen(names: list[str]) -> tuple[Variant, ...]:
    if names == ["all"]:
        return variants()
    unknown = set(names) - {variant.name for variant in variants()}
    if unknown:
        raise SystemExit(f"lab: no variant named {', '.join(sorted(unknown))}; known:\n" + _listing())
    return tuple(variant for variant in variants() if variant.name in names)


def _listing() -> str:
    return "\n".join(f"  {variant.name:20} {variant.story}" for variant in variants())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
