"""The report of a run and its folder read back: complete, offline, safe, and drawn by a real browser."""

import re
import shutil
import subprocess

import numpy as np
import pytest

import multiscale as ms
from multiscale.dynamics.simulation import Simulation
from multiscale.results.html_report import write_report
from multiscale.run.record_options import RecordOptions
from multiscale.run.recording import run_and_record

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture(scope="module", params=["hex8-one-point", "tet10"])
def folder(request, tmp_path_factory):
    """Folder of a small anvil."""
    path = tmp_path_factory.mktemp(request.param)
    cell = "tetrahedron" if request.param == "tet10" else "hexahedron"
    bar = ms.cylinder(2.0, 1.0, 100, cell=cell)
    law = ms.make_law("johnson-cook")
    anvil = Simulation(bar, law, request.param, [ms.RigidPlane()], initial_velocity=(0.0, 0.0, -0.1))
    asked = RecordOptions(probes=[(0.0, 0.0, 0.5)], gauges=["foot"], fields=["stress"])
    run_and_record(anvil, 0.2, path, {"velocity": 100.0}, asked, measure=lambda results: {}, title="Anvil")
    return path


def test_outputs_are_meshes_by_time(folder):
    run = ms.read_results(folder)
    assert len(run) == len(run.times) == len(list(run))
    assert run.times[0] == 0.0
    assert run.times[-1] == pytest.approx(0.2)
    assert np.all(run[0]["displacement_mm"] == 0.0)
    assert run[-1]["displacement_mm"][:, 2].min() == pytest.approx(-0.02, rel=0.2)
    assert np.array_equal(run.at(0.19)["von_mises_GPa"], run[-1]["von_mises_GPa"])
    mass = 2.0 * run.summary["initial_kinetic_energy_J"] / 0.1**2
    assert run[0].volume == pytest.approx(mass / ms.make_law("johnson-cook").density, rel=1e-9)
    with pytest.raises(IndexError):
        run[len(run)]


def test_ledger_and_summary_belong_to_the_same_run(folder):
    run = ms.read_results(folder)
    assert run.energy["time_us"][-1] == pytest.approx(run.summary["final_time_us"])
    assert run.energy["kinetic_J"][0] == pytest.approx(run.summary["initial_kinetic_energy_J"])


def test_histories_are_columns_with_units_and_stress_is_a_tensor(folder):
    run = ms.read_results(folder)
    foot = run.histories["gauge_1_foot"]
    assert foot["time_us"].tolist() == run.energy["time_us"].tolist()
    assert foot["normal_velocity_mm_per_us"][0] == pytest.approx(0.1)
    last = run[-1]
    mean, (xx, yy, zz, *_) = -last["pressure_GPa"], last["stress_GPa"].T
    np.testing.assert_allclose((xx + yy + zz) / 3.0, mean, atol=1e-12)
    assert "temperature_K" in last.cell_data


def test_the_report_says_material_and_what_probes_saw(folder):
    page = (folder / "report.html").read_text()
    assert "johnson-cook: magnesium, assumed constants, density 10 g/cm^3" in page
    assert "<h3>gauge_1_foot</h3><p>mean over the group foot, " in page
    assert "of the energy is still kinetic" in page


def test_what_was_run_is_said_with_units_where_there_is_a_case(folder, tmp_path):
    assert "<td>velocity</td><td>100</td>" in (folder / "report.html").read_text()  # no case, as it was given
    ms.anvil(law="j2", elements=60, end_time=0.02, velocity=150.0, output=tmp_path)
    page = (tmp_path / "report.html").read_text()
    ran = re.search("<h2>What was run</h2>\n<pre>(.*?)</pre>", page, flags=re.DOTALL)[1]
    assert "initial_velocity = &#34;[0.0, 0.0, -150.0] m/s&#34;" in ran
    assert "height = &#34;5.0 mm&#34;" in ran
    assert "#" not in ran.replace("&#34;", "")


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(ms.InputError, match=r"results.vtkhdf cannot be read"):
        ms.read_results(tmp_path)


def test_a_run_that_has_not_ended_has_no_report(folder, tmp_path):
    shutil.copy(folder / "results.vtkhdf", tmp_path)
    with pytest.raises(ms.InputError, match="expected a run that has ended"):
        write_report(tmp_path)


def test_the_report_loads_nothing_from_elsewhere(folder):
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert not re.findall(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=[\"']?https?:", page)
    assert "johnson-cook" in page


def test_names_are_shown_and_not_run(folder):
    page = write_report(folder, "<script>document.title = 'taken'</script>").read_text(encoding="utf-8")
    assert "<script>document.title" not in page
    assert "&lt;script&gt;document.title" in page


@pytest.mark.skipif(BROWSER is None, reason="no browser here: install chromium")
def test_a_browser_draws_the_report(folder, tmp_path):
    page = write_report(folder, "a report")
    flags = ["--headless", "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
    flags += ["--disable-quic", "--no-first-run", "--disable-background-networking"]
    flags += [f"--user-data-dir={tmp_path}", "--virtual-time-budget=10000", "--enable-logging=stderr"]
    shown = subprocess.run(
        [BROWSER, *flags, "--dump-dom", page.as_uri()], capture_output=True, text=True, timeout=120
    )
    assert shown.returncode == 0
    assert "Uncaught" not in shown.stderr
    assert 'class="gl-container"' in shown.stdout  # the view
    assert len(re.findall('class="slider-', shown.stdout)) > 2
    assert 'data-unformatted="kinetic"' in shown.stdout  # the legend of the energies
