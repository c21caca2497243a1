"""Set-up: the preflight names what is missing, versions are pinned, and what README and guide show runs."""

import ast
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from importlib.metadata import packages_distributions, requires
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT, TOOLS = SETTINGS["project"], SETTINGS["tool"]
EXTRAS = ("fenics", "ebsd", "test", "lint", "docs")

# Part of every Linux system that can run Python.
BASE_LIBRARIES = {
    "libc.so.6",
    "libm.so.6",
    "libdl.so.2",
    "libpthread.so.0",
    "librt.so.1",
    "libgcc_s.so.1",
    "libz.so.1",
}


@pytest.fixture
def preflight():
    spec = importlib.util.spec_from_file_location("preflight", ROOT / ".ci" / "preflight.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["preflight"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["preflight"]


def test_nothing_is_missing_where_the_tests_run(preflight, capsys):
    assert preflight.main([]) == 0
    assert capsys.readouterr().err == ""


def test_a_missing_library_is_named_with_its_package(preflight, monkeypatch, capsys):
    absent = preflight.Need("libabsent.so.9", "gmsh", "libabsent9", "absent-libs")
    monkeypatch.setattr(preflight, "LIBRARIES", (*preflight.LIBRARIES, absent))
    assert preflight.main([]) == 1
    said = capsys.readouterr().err
    assert "libabsent.so.9 (for gmsh)" in said
    assert "libabsent9" in said or "absent-libs" in said


@pytest.mark.parametrize(("there", "enough"), [(0.0, False), (3.7, False), (3.9, True)])
def test_a_disk_too_full_for_the_environment_is_found_out(preflight, monkeypatch, capsys, there, enough):
    """4.2 GB free: enough for what is left to install if most is there."""
    monkeypatch.setattr(preflight.shutil, "disk_usage", lambda folder: SimpleNamespace(free=4.2e9))
    monkeypatch.setattr(preflight, "size_of", lambda folder: there * 1e9)
    monkeypatch.setattr(preflight, "missing", lambda: iter(()))
    assert preflight.main([]) == (0 if enough else 2)
    said = capsys.readouterr().err
    assert (said == "") == enough
    if not enough:
        place = ROOT / ".venv"
        assert said.startswith(
            f"{4.2 + there:.1f} GB of disk are free for {place}, or taken by it, expected at"
        )
        assert said.count("\n") == 1


def test_what_is_there_is_measured(preflight, tmp_path):
    assert preflight.size_of(tmp_path / "none") == 0
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "file").write_bytes(bytes(1000))
    (tmp_path / "link").symlink_to("inner")
    assert preflight.size_of(tmp_path) == 1000


@pytest.mark.parametrize(
    ("release", "command", "other"),
    [
        ({"ID": "debian"}, "apt-get install gcc libabsent9", "dnf"),
        ({"ID": "pop", "ID_LIKE": "ubuntu debian"}, "apt-get install gcc libabsent9", "dnf"),
        ({"ID": "rocky", "ID_LIKE": "rhel centos fedora"}, "dnf install absent-libs gcc", "apt-get"),
    ],
)
def test_the_command_is_that_of_the_distribution(preflight, monkeypatch, release, command, other):
    monkeypatch.setattr(preflight.platform, "freedesktop_os_release", lambda: release)
    needs = [preflight.Need("libabsent.so.9", "gmsh", "libabsent9", "absent-libs"), preflight.COMPILER]
    said = preflight.message(needs, preflight.distribution_family())
    assert command in said
    assert other not in said


def test_an_unknown_distribution_is_given_both_names(preflight):
    said = preflight.message([preflight.C_HEADERS], "")
    assert "libc6-dev" in said
    assert "glibc-devel" in said


@pytest.mark.parametrize(
    ("system", "libc"), [("Darwin", ("", "")), ("Linux", ("musl", "1.2.5")), ("Linux", ("glibc", "2.31"))]
)
def test_a_system_without_wheels_is_sent_to_the_image(preflight, monkeypatch, capsys, system, libc):
    monkeypatch.setattr(preflight.platform, "system", lambda: system)
    monkeypatch.setattr(preflight.platform, "libc_ver", lambda: libc)
    assert preflight.main([]) == 1
    said = capsys.readouterr().err
    assert system in said
    assert libc[1] in said
    assert "Dockerfile" in said


def test_a_lack_of_the_compiler_names_the_headers_too(preflight, monkeypatch, tmp_path):
    monkeypatch.setenv("CC", str(tmp_path / "no-such-compiler"))
    assert list(preflight.missing_for_compiling()) == [preflight.COMPILER, preflight.C_HEADERS]


def test_a_compiler_without_the_c_headers_is_found_out(preflight, monkeypatch):
    monkeypatch.setenv("CC", f"{preflight.sysconfig.get_config_var('CC')} -nostdinc")
    assert list(preflight.missing_for_compiling()) == [preflight.C_HEADERS]


def test_a_lack_of_the_python_headers_is_found_out(preflight, monkeypatch, tmp_path):
    monkeypatch.setattr(preflight.sysconfig, "get_path", lambda name: str(tmp_path))
    assert list(preflight.missing_for_compiling()) == [preflight.PYTHON_HEADERS]


def test_every_system_library_of_gmsh_is_looked_for(preflight):
    (library,) = Path(sys.prefix, "lib").glob("libgmsh.so.*")
    dynamic = subprocess.run(["readelf", "-d", library], capture_output=True, text=True, check=True).stdout
    needed = set(re.findall(r"\(NEEDED\).*\[(.+)\]", dynamic))
    assert "libGLU.so.1" in needed
    assert needed - BASE_LIBRARIES - {"ld-linux-x86-64.so.2"} <= {need.what for need in preflight.LIBRARIES}


@pytest.mark.parametrize("python", ["no-such-python", "./python-3.11"])
def test_make_without_a_new_enough_python_says_so(tmp_path, python):
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).touch()
    old = tmp_path / "python-3.11"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    made = subprocess.run(
        ["make", f"PYTHON={python}", "install"], cwd=tmp_path, capture_output=True, text=True
    )
    assert made.returncode != 0
    assert f"No Python 3.12 or newer among: {python}" in made.stderr
    assert not (tmp_path / ".venv").exists()


def test_a_folder_called_as_the_package_does_not_hide_it(tmp_path):
    """Who clones into a folder and writes scripts beside the clone has one there, called multiscale."""
    (tmp_path / "multiscale").mkdir()
    (tmp_path / "mine.py").write_text("import multiscale; print(multiscale.__version__)")
    installed = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, str(tmp_path / "mine.py")]
    done = subprocess.run(command, capture_output=True, text=True, env=installed, check=False)
    assert done.stdout.strip() == PROJECT["version"], done.stderr


def pinned():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").split()
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line) for line in lines)
    return {canonicalize_name(line.split("==")[0]) for line in lines}


def test_direct_dependencies_are_pinned():
    direct = [
        *PROJECT["dependencies"],
        *(name for extra in EXTRAS for name in PROJECT["optional-dependencies"][extra]),
    ]
    assert {canonicalize_name(Requirement(text).name) for text in direct} <= pinned()


def test_all_that_is_installed_for_us_is_pinned_and_nothing_else():
    found, waiting = set(), [Requirement(f"{PROJECT['name']}[{','.join(EXTRAS)}]")]
    while waiting:
        here = waiting.pop()
        key = (canonicalize_name(here.name), frozenset(here.extras))
        if key not in found:
            found.add(key)
            waiting += [r for r in map(Requirement, requires(here.name) or []) if applies(r, here.extras)]
    assert {name for name, _ in found} - {PROJECT["name"]} == pinned()


def applies(requirement, extras):
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in (extras or {""}))


def test_every_run_time_dependency_is_used_and_every_import_declared():
    imported = {
        name for folder in ("microscale", "multiscale", "meshes") for name in imports_below(ROOT / folder)
    }
    providers = packages_distributions()
    used = {canonicalize_name(owner) for name in imported for owner in providers.get(name, ())} - {
        PROJECT["name"]
    }
    maps = {canonicalize_name(name) for name in PROJECT["optional-dependencies"]["ebsd"]}
    assert imported - sys.stdlib_module_names - maps <= set(
        providers
    )  # maps are read where their reader is there
    assert maps <= imported
    optional = maps | {canonicalize_name(name) for name in PROJECT["optional-dependencies"]["fenics"]}
    assert used - optional == {canonicalize_name(name) for name in PROJECT["dependencies"]}


def imports_below(folder):
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                yield node.module.split(".")[0]


def test_no_tracked_file_names_a_registry():
    addresses = [".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("debian", "org"))]
    addresses += [
        ".".join(("download", "pytorch", "org")),
        "-".join(("--index", "url")),
        "-".join(("--find", "links")),
    ]
    for path in tracked():
        text = path.read_bytes()
        assert not [address for address in addresses if address.encode() in text], path


def test_an_installed_package_has_its_data_files():
    patterns = TOOLS["setuptools"]["package-data"]
    for package in ("microscale", "multiscale", "meshes"):
        for path in (path.relative_to(ROOT) for path in tracked(package) if path.suffix != ".py"):
            inside = path.relative_to(package)
            assert any(fnmatch(str(inside), pattern) for pattern in patterns.get(package, ())), path


def tracked(folder="."):
    """Return the files of the repository below a folder."""
    listed = subprocess.run(["git", "ls-files", "-z", folder], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_versions_agree():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == PROJECT["version"]


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "docs/guide/case_file.md",
        "docs/guide/own_law.md",
        "docs/guide/own_mesh.md",
        "docs/howto/unit_cell_at_every_point.md",
        "docs/reference/protocols.md",
        "docs/results/training_range.md",
    ],
)
def test_what_a_page_shows_runs(page, tmp_path):
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)
    assert blocks
    write_mesh(tmp_path / "bullet.msh")
    check = "assert 'anvil' not in dir() or abs(anvil.energy.error) < 1e-2"
    ran = subprocess.run(
        [sys.executable, "-c", "\n".join([*blocks, check])], cwd=tmp_path, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "CONTRIBUTING.md",
        *(str(p.relative_to(ROOT)) for p in sorted((ROOT / "docs").rglob("*.md"))),
    ],
)
def test_what_a_page_links_to_is_there(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert (ROOT / page).parent.joinpath(target).exists(), target


def write_mesh(path):
    """Write a cube of tetrahedra with the groups that a body needs."""
    import gmsh

    gmsh.initialize(interruptible=False)
    try:
        gmsh.option.setNumber("General.Terminal", 0)
        box = gmsh.model.occ.addBox(0, 0, 0, 1, 1, 1)
        gmsh.model.occ.synchronize()
        gmsh.model.addPhysicalGroup(3, [box], name="body")
        gmsh.model.addPhysicalGroup(2, [5], name="foot")
        gmsh.option.setNumber("Mesh.MeshSizeMax", 0.6)
        gmsh.model.mesh.generate(3)
        gmsh.write(str(path))
    finally:
        gmsh.finalize()
