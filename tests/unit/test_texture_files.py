"""Files of orientations: read back as they were, and what is wrong with one is said in one line."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from microscale.crystals.crystal import read_crystal
from microscale.crystals.texture import sources
from microscale.crystals.texture.density import equivalents, pole_density
from microscale.crystals.texture.described import distribution
from microscale.crystals.texture.euler import to_bunge
from microscale.crystals.texture.lattice import lattice_of
from microscale.crystals.texture.texture import Texture
from microscale.crystals.texture.writing import write_orientations
from microscale.errors import InputError

MAGNESIUM = read_crystal()
LATTICE = lattice_of(MAGNESIUM)
SHEET = sources.rolled(15.0, 25.0, points=400)
SPHERE = sources.everywhere(points=500).orientations[:, :, 2]


def figures(texture):
    """Pole figures that tell a texture, its prism planes too."""
    poles = ("0001", "10-10")
    return np.stack([pole_density(texture, LATTICE.direction(p), LATTICE.group, SPHERE) for p in poles])


def test_text_is_read_back(tmp_path):
    weighted = Texture.of(SHEET.orientations, np.arange(1.0, 401.0), "sheet")
    write_orientations(tmp_path / "sheet.txt", weighted, LATTICE.group)
    found = distribution(tmp_path / "sheet.txt", MAGNESIUM)
    np.testing.assert_allclose(found.orientations, weighted.orientations, atol=1e-8)
    np.testing.assert_allclose(found.weights, weighted.weights, rtol=1e-8)
    with pytest.raises(InputError, match="Neper's files hold no weights"):
        write_orientations(tmp_path / "sheet.ori", weighted, LATTICE.group)


def test_nepers_files_are_read_back(tmp_path):
    write_orientations(tmp_path / "sheet.ori", SHEET, LATTICE.group)
    rows = np.loadtxt(tmp_path / "sheet.ori")
    assert np.abs(rows).max() < 1.2  # within the fundamental region
    tangent = np.linalg.norm(rows, axis=1, keepdims=True)
    by_hand = Rotation.from_rotvec(rows / tangent * 2.0 * np.arctan(tangent))
    np.testing.assert_allclose(figures(Texture.of(by_hand.as_matrix())), figures(SHEET), rtol=1e-6)
    np.testing.assert_allclose(
        figures(distribution(tmp_path / "sheet.ori", MAGNESIUM)), figures(SHEET), rtol=1e-6
    )
    q = Rotation.from_matrix(SHEET.orientations).as_quat(scalar_first=True)
    np.savetxt(tmp_path / "q.ori", q)
    np.testing.assert_allclose(
        distribution(tmp_path / "q.ori", MAGNESIUM).orientations, SHEET.orientations, atol=1e-12
    )


def test_columns_with_names(tmp_path):
    degrees = to_bunge(SHEET.orientations)
    lines = ["id; x; Euler 1; Euler 2; Euler 3; Weight"]
    lines += [f"{k}; 0.5; {a}; {b}; {c}; 2" for k, (a, b, c) in enumerate(degrees)]
    (tmp_path / "table.csv").write_text("\n".join(lines))
    found = distribution(tmp_path / "table.csv", MAGNESIUM)
    np.testing.assert_allclose(found.orientations, SHEET.orientations, atol=1e-9)


ROW = "10 20 30\n40 50 60\n"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.txt", "", "holds no orientation"),
        ("a.txt", "# only a comment\n", "holds no orientation"),
        ("a.txt", "1 2\n3 4\n", "has 2 columns, expected phi1, Phi, phi2 in degrees"),
        ("a.txt", "1 2 3 4 5\n", "has 5 columns"),
        ("a.txt", ROW + "1 2\n", "line 3 has 2 columns, expected 3 as above"),
        ("a.txt", ROW + "1 x 3\n", "line 3 is '1 x 3', expected numbers"),
        ("a.txt", "0.1 0.5 6.2\n3.1 1.5 0.2\n", "all angles are below 6.2, as radians are"),
        ("a.txt", "# in radians\n0.1 0.5 6.2\n20 30 40\n", "says that its angles are radians"),
        ("a.txt", "10 190 0\n", "line 1: Phi = 190 degrees, expected from 0 to 180"),
        ("a.txt", ROW + "400 10 0\n", "line 3: phi1 = 400 degrees, expected from -360 to 360"),
        ("a.txt", "10 nan 0\n", "line 1: Phi = nan degrees"),
        ("a.txt", "10 20 30 1\n10 20 30 -0.5\n", "line 2: weight = -0.5, expected zero or more"),
        ("a.txt", "10 20 30 0\n", "expected shares of the volume"),
        ("a.csv", "a,b,c\n1,2,3\n", "names the columns a, b, c, expected one for each of 3, phi1, Phi"),
        ("a.ori", "10 20 30\n", "too much for a Rodrigues vector"),
        ("a.ori", "1 1 0 0\n", "a quaternion of norm 1.414, expected 1"),
        ("a.ori", "1 1\n", "has 2 columns, expected 3"),
        ("a.toml", "file = 'b.txt'\nphase = 'Mg'\n", "phase has no use for .*b.txt, expected a map"),
        ("a.toml", "texture = 'random'\nfile = 'b.txt'\n", "has texture and file, expected one of"),
        ("a.toml", "fille = 'b.txt'\n", "fille is no known key, did you mean 'file'"),
        ("a.toml", "texture = 'random'\nphase = 'Mg'\n", "phase has no use without file"),
        (
            "a.toml",
            "[[part]]\nshare = -1.0\ntexture = 'random'\n",
            "share = -1.0, expected a positive number",
        ),
        ("a.toml", "[[part]]\nshare = 1.0\n", "has none, expected one of"),
        (
            "a.toml",
            "[[part]]\nshare = 0.3\ntexture = 'random'\n[[part]]\ntexture = 'fibre:z,5'\n",
            r"part\[1\]\.share is missing, expected a share of each or of none",
        ),
        ("a.toml", "[harmonics]\n2 = [[1.0, 0.0], [2.0]]\n", "lists of different lengths"),
    ],
)
def test_a_wrong_file_is_one_line(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=message) as raised:
        distribution(tmp_path / name, MAGNESIUM)
    assert "\n" not in str(raised.value)


def test_small_angles_that_are_degrees(tmp_path):
    (tmp_path / "sharp.txt").write_text("# degrees\n0 1 0\n0 2 0\n")
    assert len(distribution(tmp_path / "sharp.txt", MAGNESIUM)) == 2


def test_a_mixture_in_a_file(tmp_path):
    (tmp_path / "mixed.toml").write_text(
        "[[part]]\nshare = 3.0\ntexture = 'fibre:z,5'\n"
        "[[part]]\nshare = 1.0\ntexture = 'fibre:z,5'\naxes = 'z,x,y'\n"
    )
    found = distribution(tmp_path / "mixed.toml", MAGNESIUM)
    along = pole_density(found, LATTICE.direction("0001"), LATTICE.group, np.eye(3))
    assert along[2] == pytest.approx(3.0 * along[1], rel=0.05)
    assert along[0] < 0.1


def crystal_map(phases, angles, phase_id):
    from orix.crystal_map import CrystalMap, Phase, PhaseList
    from orix.quaternion import Rotation as Turn

    listed = PhaseList([Phase(name, point_group=group) for name, group in phases], ids=range(len(phases)))
    y, x = np.divmod(np.arange(len(angles)), 20)
    return CrystalMap(
        rotations=Turn.from_euler(angles, degrees=True),
        phase_id=phase_id,
        x=x * 1.0,
        y=y * 1.0,
        phase_list=listed,
    )


@pytest.mark.parametrize("ending", ["ang", "h5"])
def test_a_map_that_orix_wrote_has_the_same_pole_figures(tmp_path, ending):
    pytest.importorskip("orix", reason="an optional dependency")
    from orix import io
    from orix.quaternion import Orientation, symmetry

    angles, phase = to_bunge(SHEET.orientations), np.zeros(400, dtype=int)
    path = tmp_path / f"sheet.{ending}"
    io.save(path, crystal_map([("magnesium", "6/mmm")], angles, phase), overwrite=True)
    found = distribution(path, MAGNESIUM)
    assert len(found) == 400
    np.testing.assert_allclose(figures(found), figures(SHEET), rtol=2e-3, atol=1e-3)
    # and orix makes the same directions of c of our text
    write_orientations(tmp_path / "sheet.txt", SHEET, LATTICE.group)
    theirs = Orientation.from_euler(
        np.loadtxt(tmp_path / "sheet.txt")[:, :3], symmetry=symmetry.D6h, degrees=True
    )
    np.testing.assert_allclose((~theirs).to_matrix(), SHEET.orientations, atol=1e-7)


def test_phases_of_a_map(tmp_path):
    pytest.importorskip("orix", reason="an optional dependency")
    from orix import io

    angles, phase = to_bunge(SHEET.orientations), (np.arange(400) % 4 == 0).astype(int)
    path = tmp_path / "two.h5"
    io.save(path, crystal_map([("Mg", "6/mmm"), ("Al", "m-3m")], angles, phase), overwrite=True)
    with pytest.raises(InputError, match=r"has phases 'Mg' \(300 points\), 'Al' \(100 points\): say which"):
        distribution(path, MAGNESIUM)

    def chosen(entry):
        (tmp_path / "t.toml").write_text(f"file = 'two.h5'\n{entry}\n")
        return distribution(tmp_path / "t.toml", MAGNESIUM)

    assert len(chosen("phase = 'Mg'")) == 300
    with pytest.raises(InputError, match="unknown phase 'Ti', expected one of: 'Mg'"):
        chosen("phase = 'Ti'")
    with pytest.raises(InputError, match="has the Laue group m-3m, expected 6/mmm"):
        chosen("phase = 'Al'")
    with pytest.raises(InputError, match="no property 'ci'"):
        chosen("phase = 'Mg'\nat_least = { ci = 0.1 }")
    turned = chosen("phase = 'Mg'\nx_axis = 'a*'")
    c_axes = [t.orientations[:, :, 2] for t in (turned, chosen("phase = 'Mg'"))]
    np.testing.assert_allclose(*c_axes, atol=1e-12)
    prism = np.array([np.sqrt(0.75), -0.5, 0.0])  # a* of the file's x: a normal of the prism
    assert prism.round(6).tolist() in equivalents(LATTICE.direction("10-10"), LATTICE.group).round(6).tolist()
    np.testing.assert_allclose(
        turned.orientations @ prism, chosen("phase = 'Mg'").orientations[:, :, 0], atol=1e-12
    )


@pytest.mark.parametrize("name", ["a.ang", "a.ctf", "a.h5"])
def test_a_broken_map_is_one_line(tmp_path, name):
    (tmp_path / name).write_text("")
    with pytest.raises(InputError, match="is empty, expected an EBSD map") as raised:
        distribution(tmp_path / name, MAGNESIUM)
    (tmp_path / name).write_text("nonsense\n1 2 3\n")
    with pytest.raises(InputError, match=r"cannot be read by orix|not installed") as raised:
        distribution(tmp_path / name, MAGNESIUM)
    assert "\n" not in str(raised.value)


CTF = """Channel Text File
Prj\tplate
Author\tnobody
JobMode\tGrid
XCells\t2
YCells\t2
XStep\t1
YStep\t1
AcqE1\t0
AcqE2\t0
AcqE3\t0
Euler angles refer to Sample Coordinate system (CS0)!
Phases\t1
3.209;3.209;5.211\t90;90;120\tMagnesium\t9\t194\t\t\tmade by hand
Phase\tX\tY\tBands\tError\tEuler1\tEuler2\tEuler3\tMAD\tBC\tBS
1\t0\t0\t8\t0\t10\t20\t30\t0.5\t100\t200
1\t1\t0\t8\t0\t40\t50\t60\t0.5\t100\t200
0\t0\t1\t0\t3\t0\t0\t0\t0\t0\t0
1\t1\t1\t8\t0\t70\t80\t90\t0.5\t100\t200
"""


def test_a_map_of_oxford_has_x_along_a_star(tmp_path):
    """Points that are not indexed are left out, and the prism turns by 30 degrees."""
    pytest.importorskip("orix", reason="an optional dependency")
    (tmp_path / "plate.ctf").write_text(CTF)
    found = distribution(tmp_path / "plate.ctf", MAGNESIUM)
    np.testing.assert_allclose(
        to_bunge(found.orientations), [[10, 20, 60], [40, 50, 90], [70, 80, 120]], atol=1e-4
    )
