from __future__ import annotations

import pytest

from gatepost import errors
from gatepost.errors import PeerBogus, PeerError, PeerGarbled, PeerRefused, PeerReset, PeerSilent, PeerUnreachable
from gatepost.model.reasons import failure, reason
from gatepost.model.words import Reason


def test_every_error_of_a_peer_has_a_reason_of_its_own() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, PeerError)]
    plain = [kind("x") for kind in kinds if kind not in {PeerError, PeerUnreachable}]
    assert len({reason(error) for error in plain}) == len(plain)
    assert reason(PeerUnreachable("x", refused=True)) is Reason.REFUSED
    assert reason(PeerUnreachable("x", refused=False)) is Reason.FILTERED
    assert reason(errors.BudgetSpent("x")) is Reason.BUDGET


@pytest.mark.parametrize("kind", [PeerBogus, PeerGarbled, PeerRefused, PeerReset, PeerSilent])
def test_a_failed_question_is_the_same_error_again(kind: type[PeerError]) -> None:
    again = failure(reason(kind("no luck")), "no luck")
    assert type(again) is kind
    assert str(again) == "no luck"


@pytest.mark.parametrize("filed", [None, Reason.UNRESOLVED, Reason.FILTERED, Reason.VANTAGE])
def test_a_failed_question_is_never_an_absent_name(filed: Reason | None) -> None:
    assert not isinstance(failure(filed, "x"), PeerUnreachable)
