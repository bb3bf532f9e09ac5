"""`python -m lab up|down|status`: a good mail host on loopback, and broken ones beside it."""

from __future__ import annotations

import argparse
import sys

from lab.estate import Estate
from lab.places import SHOWN, state_root
from lab.site import DOMAIN, Site

GOOD = Site(f"mail.{DOMAIN}", "127.0.25.1")


def good() -> Estate:
    return Estate(state_root() / "good", (GOOD,), stock=True)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m lab", description=__doc__)
    parser.add_argument("verb", choices=("up", "down", "status"))
    chosen = parser.parse_args(arguments)
    if chosen.verb == "down":
        good().down()
        for name in ("gatepost.toml", "ca.pem"):
            (SHOWN / name).unlink(missing_ok=True)
        if SHOWN.exists() and not any(SHOWN.iterdir()):
            SHOWN.rmdir()
        return 0
    if chosen.verb == "up":
        estate = good()
        estate.up()
        SHOWN.mkdir(exist_ok=True)
        for made in (estate.declaration, estate.ca):
            (SHOWN / made.name).write_bytes(made.read_bytes())
        print(f"./gatepost audit -c .lab/gatepost.toml --ca .lab/ca.pem --address {GOOD.address} {GOOD.name}")
    print(f"good: {'up' if good().running else 'down'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
