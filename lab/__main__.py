"""`python -m lab up|down|status`: a good mail host on loopback, and broken ones beside it."""

from __future__ import annotations

import argparse
import sys

from lab.estate import Estate
from lab.places import SHOWN, state_root
from lab.site import DOMAIN, Site
from lab.variants import Variant, estate, variants

GOOD = Site(f"mail.{DOMAIN}", "127.0.25.1")


def good() -> Estate:
    return Estate(state_root() / "good", (GOOD,), stock=True)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m lab", description=__doc__)
    parser.add_argument("verb", choices=("up", "down", "status"))
    parser.add_argument("variant", nargs="*", help="broken variants to bring up as well, or `all`")
    chosen = parser.parse_args(arguments)
    wanted = _chosen(chosen.variant)
    if chosen.verb == "down":
        good().down()
        estate(()).down()
        for name in ("gatepost.toml", "ca.pem"):
            (SHOWN / name).unlink(missing_ok=True)
        if SHOWN.exists() and not any(SHOWN.iterdir()):
            SHOWN.rmdir()
        return 0
    if chosen.verb == "up":
        host = good()
        host.up()
        SHOWN.mkdir(exist_ok=True)
        for made in (host.declaration, host.ca):
            (SHOWN / made.name).write_bytes(made.read_bytes())
        print(f"./gatepost audit -c .lab/gatepost.toml --ca .lab/ca.pem --address {GOOD.address} {GOOD.name}")
        if wanted:
            broken = estate(wanted)
            broken.down()
            broken.up()
            for variant in wanted:
                print(_command(broken, variant.site.address, variant.site.name))
    print(f"good: {'up' if good().running else 'down'}, variants: {'up' if estate(()).running else 'down'}")
    return 0


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
