"""An elastic bar keeps its energy; with a step that follows every wave it gained up to 0.2 % in that time."""

import pytest
from energy_over_time import energy_over_time

from microscale.errors import InputError


@pytest.mark.parametrize(
    ("element", "elements", "steps"),
    [("hex8-one-point", 100, 8000), ("hex8-fbar", 100, 5000), ("tet10", 24, 3000)],
)
def test_neither_the_ledger_nor_the_stored_energy_creeps(element, elements, steps):
    figures = energy_over_time(element=element, elements=elements, steps=steps)
    assert figures["steps"] == steps
    assert abs(figures["gain_percent"]) < 0.1
    assert abs(figures["ledger_error_percent"]) < 0.1
    # It is no identity: the step has changed, and forces have turned round within steps.
    assert 1e-4 < figures["largest_ledger_error_percent"] < 0.1


def test_a_run_too_short_to_tell_is_refused():
    with pytest.raises(InputError, match="steps"):
        energy_over_time(steps=1500)
