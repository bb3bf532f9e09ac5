"""A mail domain whole: the host in order, its names in signed zones, its policies on the web."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lab import pages
from lab.estate import Estate
from lab.names import Names
from lab.oddities import odd
from lab.site import Site, domain_declaration
from lab.variants import variants
from lab.zones import SELECTORS, Net, Signers, Told, Zone, good


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
        declared = domain_declaration(self.host, self.names.resolver, self.keys)
        return Estate(self.home, (self.host,), stock=self.stock, web=pages.certificates(), declared=declared)

    @property
    def names(self) -> Names:
        return Names(self.home.with_name(f"{self.home.name}-names"), self.net, self.server)

    @property
    def keys(self) -> dict[str, Path]:
        """The DKIM key of each selector."""
        return {name: self.names.home / "dkim" / f"{name}.pem" for name in SELECTORS}

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
            signers = Signers()
            self.names.up(self.zones(signers))
            self._keep(signers)
            self.names.serve(pages.pages(self.host.name), self.estate.papers)
        except BaseException:
            self.down()
            raise

    def down(self) -> None:
        self.names.down()
        self.estate.down()

    def zones(self, signers: Signers) -> tuple[Zone, ...]:
        others = tuple(variant.site for variant in variants(self.net.prefix))
        told = Told(self.net, self.host, others, *self.estate.digests(self.host), signers)
        return (*good(told), *odd(told))

    def _keep(self, signers: Signers) -> None:
        """Where the declaration says that the DKIM keys are."""
        for name, file in self.keys.items():
            file.parent.mkdir(mode=0o700, exist_ok=True)
            file.write_bytes(signers.pem(SELECTORS[name]))
            file.chmod(0o600)
