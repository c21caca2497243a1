"""The range of the shipped surrogate is measured again on some of the paths its card names."""

from dataclasses import asdict

import pytest
from training_range import training_range

from multiscale.surrogate.store import SHIPPED, read_surrogate


def test_the_shipped_range_is_that_of_its_paths():
    """A sample of the paths the card names; demos/studies/training_range.py takes all of them."""
    known = asdict(read_surrogate(SHIPPED)[1].range)
    found = training_range(every=200)
    assert found["elastic_limit"] == pytest.approx(known["elastic_limit"], rel=0.1)
    assert found["longest_hold"] == pytest.approx(known["longest_hold"], rel=0.5)
    assert found["slowest_rate"] == pytest.approx(known["slowest_rate"], rel=0.5)
    assert known["smallest_cycle"] < 2.0 * known["elastic_limit"]
