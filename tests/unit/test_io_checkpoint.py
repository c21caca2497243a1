"""A restart goes on with the same bits, and only from a whole checkpoint of the same run."""

import resource

import numpy as np
import pytest
from mpi4py import MPI

from meshes.cylinder import cylinder
from microscale.errors import InputError
from microscale.law import ConstitutiveLaw, StateVariable
from multiscale.dynamics.bulk_viscosity import BulkViscosity
from multiscale.dynamics.contact import RigidPlane
from multiscale.dynamics.simulation import Simulation
from multiscale.laws import make_law
from multiscale.results.provenance import identity
from multiscale.run import checkpoint
from multiscale.run.checkpoint import read_checkpoint, write_checkpoint
from multiscale.run.same_run import Origin


def anvil(law, element="hex8-one-point", viscosity=None, elements=100, height=2.0):
    body = cylinder(height, 1.0, elements, comm=MPI.COMM_SELF)
    velocity = (0.01, 0.0, -0.3)
    return Simulation(body, law, element, [RigidPlane()], initial_velocity=velocity, viscosity=viscosity)


def origin(body, inputs=None):
    return Origin(body, identity(body.law), inputs or {})


def advance(body, steps):
    for _ in range(steps):
        body.step()
    return body


def everything(body):
    """All numbers a run can show, by name."""
    state = body.saved_state()
    assert not state.nodes.keys() & state.cells.keys()
    return {
        **state.nodes,
        **state.cells,
        **body.cell_fields(),
        "velocity": body.v.x.array,
        "clock": np.array(list(state.clock.values())),
        "booked": state.booked,
        "energy": np.array([body.energy.internal, body.energy.contact, body.energy.error]),
        "impulse": body.contact_impulse,
        "limit": body.limiting_position,
    }


def assert_same_bits(one, other):
    found = everything(other)
    for name, values in everything(one).items():
        np.testing.assert_array_equal(values, found[name], err_msg=name)


CASES = [
    ("j2", {}, "hex8-fbar", BulkViscosity()),
    ("johnson-cook", {}, "hex8-one-point", None),
    ("taylor", {"grains": 3}, "hex8-one-point", None),
    ("learned", {}, "hex8-fbar", None),
    ("neo-hooke", {}, "hex8-one-point", BulkViscosity()),
    ("fft2d", {"grains": 2, "resolution": 4}, "hex8-one-point", None),
    ("fft3d", {"grains": 2, "resolution": 2}, "hex8-one-point", None),
]


# Step 6 and step 9 lie between two estimates of the stable step.
@pytest.mark.parametrize(("law", "options", "element", "viscosity"), CASES)
def test_restart_goes_on_with_the_same_bits(tmp_path, monkeypatch, law, options, element, viscosity):
    monkeypatch.setattr(checkpoint, "BLOCK_BYTES", 4096)  # many blocks
    path = tmp_path / "checkpoint.h5"
    begun = advance(anvil(make_law(law, **options), element, viscosity), 6)
    write_checkpoint(path, begun, origin(begun), {"largest_energy_error": 0.25})
    resumed = anvil(make_law(law, **options), element, viscosity)
    assert read_checkpoint(path, resumed, origin(resumed)) == {"largest_energy_error": 0.25}
    assert_same_bits(begun, resumed)
    assert_same_bits(advance(begun, 9), advance(resumed, 9))
    assert begun.step_count == 15


def test_points_outside_the_training_range_are_counted_once(tmp_path):
    law = make_law("learned")
    body = anvil(law)
    body.saved_state().cells["state/extrapolation"][:7] = 0.5
    write_checkpoint(tmp_path / "c.h5", body, origin(body), {})
    resumed = anvil(make_law("learned"))
    read_checkpoint(tmp_path / "c.h5", resumed, origin(resumed))
    assert resumed.law.extrapolating_points == 7


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("checkpoint") / "checkpoint.h5"
    body = advance(anvil(make_law("j2")), 6)
    write_checkpoint(path, body, origin(body, {"velocity": 300.0, "output": "here"}), {})
    return path


@pytest.mark.parametrize(
    ("other", "inputs", "message"),
    [
        ({}, {"velocity": 200.0}, "velocity = 300.0, this run has 200.0"),
        ({"law": make_law("johnson-cook")}, {"velocity": 300.0}, "another law (j2 "),
        ({"law": make_law("j2", yield_stress=0.3)}, {"velocity": 300.0}, "another law (j2 "),
        ({"element": "hex8-fbar"}, {"velocity": 300.0}, "another element (hex8-one-point)"),
        ({"height": 2.1}, {"velocity": 300.0}, "another mesh"),
        ({"elements": 300}, {"velocity": 300.0}, "another mesh"),
    ],
)
def test_checkpoint_of_another_run_is_refused(written, other, inputs, message):
    body = anvil(**{"law": make_law("j2"), **other})
    with pytest.raises(InputError) as caught:
        read_checkpoint(written, body, origin(body, {**inputs, "output": "there"}))
    assert message in str(caught.value)
    assert str(written) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [None, b"", b"no checkpoint at all", "vtkhdf"])
def test_foreign_file_is_refused(written, tmp_path, content):
    path = tmp_path / "foreign.h5"
    if content == "vtkhdf":
        import h5py

        with h5py.File(path, "w") as file:
            file.create_group("VTKHDF")
    elif content is not None:
        path.write_bytes(content)
    body = anvil(make_law("j2"))
    with pytest.raises(
        InputError, match=r"does not exist|cannot be read as a checkpoint|has format|'format' is missing"
    ):
        read_checkpoint(path, body, origin(body))


def test_damage_is_refused_or_changes_nothing(written, tmp_path):
    whole, body, path = written.read_bytes(), anvil(make_law("j2")), tmp_path / "damaged.h5"
    mine = origin(body, {"velocity": 300.0})
    read_checkpoint(written, body, mine)
    expected = {name: values.copy() for name, values in everything(body).items()}
    messages = []
    cuts = [whole[: len(whole) // 2], whole[:-1]]
    flips = []
    for place in np.random.default_rng(1).integers(0, len(whole), 60):
        flipped = bytearray(whole)
        flipped[place] ^= 4
        flips.append(bytes(flipped))
    for content in (*cuts, *flips):
        path.write_bytes(content)
        try:
            read_checkpoint(path, body, mine)
        except InputError as error:
            messages.append(str(error))
            continue
        assert content not in cuts
        for name, values in everything(body).items():
            np.testing.assert_array_equal(values, expected[name], err_msg=name)
    assert len(messages) > 40
    assert all("damaged" in message or "has format" in message for message in messages)


def test_full_disk_leaves_the_checkpoint_before(written, tmp_path):
    path = tmp_path / "checkpoint.h5"
    path.write_bytes(written.read_bytes())
    body = anvil(make_law("j2"))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**16, limits[1]))
    try:
        with pytest.raises(InputError, match=r"cannot be written .*: free space"):
            write_checkpoint(path, body, origin(body), {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == written.read_bytes()
    assert [file.name for file in tmp_path.iterdir()] == ["checkpoint.h5"]


class Forgetful(ConstitutiveLaw):
    """Puts a new array into the state instead of writing into the one it got."""

    name, density = "forgetful", 10.0
    state_spec = (StateVariable("age", (), "us"),)

    def __init__(self):
        self._elastic = make_law("neo-hooke")

    def _update(self, F, dt, state, out):
        self._elastic.update(F, dt, state, out)
        state["age"] = state["age"] + dt

    def wave_speed(self):
        return self._elastic.wave_speed()


def test_state_that_is_not_advanced_in_place_is_an_error(tmp_path):
    body = anvil(Forgetful())
    with pytest.raises(InputError, match="replaced its state array 'age'"):
        write_checkpoint(tmp_path / "checkpoint.h5", body, origin(body), {})
