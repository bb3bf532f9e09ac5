"""All dialects, in the order in which they are asked for a tag."""

from __future__ import annotations

from gatepost.logs.dialects.cyrus import CYRUS
from gatepost.logs.dialects.dovecot import DOVECOT
from gatepost.logs.dialects.dovecot_json import EVENTS
from gatepost.logs.dialects.exim import EXIM
from gatepost.logs.dialects.kernel import KERNEL
from gatepost.logs.dialects.milters import FILTERS
from gatepost.logs.dialects.opensmtpd import OPENSMTPD
from gatepost.logs.dialects.policyd import POLICYD
from gatepost.logs.dialects.postfix import POSTFIX
from gatepost.logs.dialects.proxies import PROXIES
from gatepost.logs.dialects.rspamd import RSPAMD
from gatepost.logs.dialects.sendmail import SENDMAIL
from gatepost.logs.dialects.sensors import SENSORS
from gatepost.logs.dialects.stalwart import STALWART
from gatepost.logs.dialects.table import Dialect, Table

DIALECTS: tuple[Dialect, ...] = (
    POSTFIX,
    DOVECOT,
    CYRUS,
    EXIM,
    FILTERS,
    KERNEL,
    OPENSMTPD,
    POLICYD,
    PROXIES,
    RSPAMD,
    SENDMAIL,
    SENSORS,
    STALWART,
)
OBJECTS: tuple[Table, ...] = (EVENTS,)  # lines without a tag that are one object of JSON
