"""What a user may ask of a record, from Python and from a command line."""

import pytest
from cyclopts import App, Parameter

from microscale.errors import InputError
from microscale.inputs.numbers import checked
from multiscale.run.flags import read_words
from multiscale.run.record_options import AS_USUAL, Record, RecordOptions


def run(words: str) -> RecordOptions:
    def demo(*, record: Record = AS_USUAL) -> RecordOptions:
        return record

    app = App()
    app.default(checked(demo))
    app.default_parameter = Parameter(converter=read_words)
    command, bound, _ = app.parse_args(words.split(), exit_on_error=False, print_error=False)
    return command(*bound.args, **bound.kwargs)


def test_flags_and_python_say_the_same():
    asked = run("--probe -0.5,0,2.5 --probe 0,0,5 --gauge foot --gauge 0,0,5 --field stress --until-rest")
    assert asked == RecordOptions(
        probes=[[-0.5, 0.0, 2.5], (0.0, 0.0, 5.0)],
        gauges=["foot", (0.0, 0.0, 5.0)],
        fields=["stress"],
        until_rest=True,
    )
    assert run("") == RecordOptions()
    assert RecordOptions(outputs=5).given == {"outputs": 5}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"outputs": 0}, "outputs = 0, expected at least 1"),
        ({"outputs": 3, "steps_between_outputs": 4}, "steps-between-outputs = 4 has no use here"),
        ({"longest_time": 3.0}, "longest-time = 3.0 has no use here: give until-rest too"),
        ({"history_every": 0.1}, "give probes or gauges too"),
        ({"probes": [(0.0, 1.0)]}, r"probes = \(0.0, 1.0\), expected points x, y, z in mm"),
        ({"probes": ["foot"]}, "probes = 'foot', expected points"),
        ({"fields": ["heat"]}, "fields = 'heat', expected one of: stress, deformation-gradient"),
        ({"format": "xdmf"}, "format = 'xdmf', expected one of: vtkhdf, vtu"),
        ({"probes": [(0.0, 1.0, float("nan"))]}, "probes = nan mm, expected"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(given, message):
    with pytest.raises(InputError, match=message):
        RecordOptions(**given)


@pytest.mark.parametrize(
    "words", ["--probe 1,2", "--probe", "--outputs 0", "--field heat", "--longest-time 2"]
)
def test_wrong_flags_are_refused(words):
    with pytest.raises(Exception, match=r"expected|requires|Invalid|has no use"):
        run(words)
