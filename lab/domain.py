"""A mail domain whole: the host in order, its names in signed zones, its policies on the web."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lab import pages
from lab.estate import Estate
from lab.names import Names
from lab.oddities import odd
from lab.site import Site
from lab.variants import variants
from lab.zones import Net, Told, Zone, good


@dataclass(frozen=True, slots=True)
class MailDomain:
    """`home` holds the host, and a directory beside it the names.

    The zones know the broken variants too, whether they run or not.
    """

    home: Path
    net: Net
    host: Site
    server: str = "knot"
    stock: bool = False

    @property
    def estate(self) -> Estate:
        return Estate(self.home, (self.host,), stock=self.stock, web=pages.certificates())

    @property
    def names(self) -> Names:
        return Names(self.home.with_name(f"{self.home.name}-names"), self.net, self.server)

    @property
    def running(self) -> bool:
        return self.estate.running and self.names.running

    def up(self) -> None:
        """Idempotent. Both halves begin together: the zones hold digests of the keys that the host serves."""
        if self.running:
            return
        self.down()
        try:
            self.estate.up()
            self.names.up(self.zones())
            self.names.serve(pages.pages(self.host.name), self.estate.papers)
        except BaseException:
            self.down()
            raise

    def down(self) -> None:
        self.names.down()
        self.estate.down()

    def zones(self) -> tuple[Zone, ...]:
        others = tuple(variant.site for variant in variants(self.net.prefix))
        told = Told(self.net, self.host, others, *self.estate.digests(self.host))
        return (*good(told), *odd(told))
