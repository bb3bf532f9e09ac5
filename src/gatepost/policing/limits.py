"""From which number of failures on an attempt is slowed, an account is closed to strangers, a network refused."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Counts within `window` seconds.

    Three passwords for one account is what people try who have forgotten theirs; a program that guesses tries more.
    One household or office network rarely mistypes for more than a few accounts in an hour.
    """

    window: int = 3600
    free_guesses: int = 3  # different passwords for one account, from networks that never logged in to it
    closing_guesses: int = 20  # from here on strangers are refused, whatever they send
    free_accounts: int = 3  # accounts that one network failed at
    closing_accounts: int = 15
    longest_delay: int = 15  # seconds; a login process is held so long
    recipients: int = 0  # an account may send to within the window; 0: as many as it likes
    remembered_days: int = 90  # a network that logged in is known to the account so long
