from __future__ import annotations

import pytest

from gatepost import catalogue


@pytest.mark.parametrize(("name", "number"), [("smtp", 25), ("dns", 53), ("https", 443), ("submissions", 465)])
def test_a_service_is_known_by_its_name(name: str, number: int) -> None:
    assert catalogue.number(name) == catalogue.row(name).number == number


def test_what_the_code_names_has_to_be_there() -> None:
    with pytest.raises(KeyError):
        catalogue.number("gopher")
