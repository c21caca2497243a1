"""The shipped weights err on new paths as their card says, and stand for the polycrystal of this version."""

import json

import pytest

from microscale.law import drive
from microscale.paths.protocols import StrainPaths
from multiscale.laws import make_law
from multiscale.results.provenance import identity
from multiscale.surrogate.histories import relative_errors
from multiscale.surrogate.recurrent.law import LearnedLaw
from multiscale.surrogate.store import SHIPPED

PATHS, NEW_SEED = 32, 7077
CASES = [("R50_test", "R", 0.5), ("F50_test", "F", 0.5), ("R10_test", "R", 0.1), ("I_test", "I", 1.0)]


@pytest.mark.filterwarnings("ignore::multiscale.surrogate.extrapolation.ExtrapolationWarning")
@pytest.mark.parametrize(("name", "protocol", "strain"), CASES)
def test_errors_on_new_paths_are_those_of_the_card(name, protocol, strain):
    """Two standard deviations of the mean of 32 paths are 20 %: their errors scatter by some 60 %."""
    surrogate = LearnedLaw.from_file()
    paths = StrainPaths(protocol, strain, duration=(0.5, 5.0), seed=NEW_SEED)
    times, U = paths.batch(range(PATHS))
    errors = relative_errors(drive(surrogate, U, times), drive(make_law("taylor"), U, times), times)
    stated = surrogate.card.errors["sets"][name]
    assert errors.deviatoric.mean() == pytest.approx(stated["deviatoric_mean"], rel=0.2)
    assert errors.total.mean() == pytest.approx(stated["total_mean"], rel=0.3)


def test_they_were_trained_on_the_polycrystal_of_this_version():
    made = json.loads(SHIPPED.with_suffix(".json").read_text())["datasets"]
    assert {data["law_hash"] for data in made} == {identity(make_law("taylor"))["hash"]}
    assert SHIPPED.stat().st_size < 300_000
