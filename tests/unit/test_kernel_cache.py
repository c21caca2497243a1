"""Cached kernels are those of the present sources, whichever file changed."""

import importlib.util
from pathlib import Path

import pytest
from numba import config

from microscale.native.numba_cache import cache_folder, sources_digest
from multiscale.laws import neo_hooke

CACHED = "from numba import njit\n\n@njit(cache=True)\ndef twice(x):\n    return 2 * x\n"
KERNEL = "from numba import njit\n\n@njit\ndef twice(x):\n    return 2 * x\n"


def test_digest_follows_every_kernel_and_nothing_else(tmp_path: Path):
    for name, text in (
        ("microscale/a.py", KERNEL),
        ("multiscale/laws/b.py", KERNEL),
        ("multiscale/c.py", "x = 1\n"),
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    first = sources_digest(tmp_path)
    (tmp_path / "multiscale/c.py").write_text("x = 2\n")
    assert sources_digest(tmp_path) == first
    (tmp_path / "multiscale/laws/b.py").write_text(KERNEL.replace("2 * x", "3 * x"))
    second = sources_digest(tmp_path)
    assert second != first
    (tmp_path / "microscale/a.py").rename(tmp_path / "microscale/d.py")
    assert sources_digest(tmp_path) != second


def test_kernels_are_cached_in_the_folder_of_their_sources():
    assert Path(neo_hooke._piola._cache.cache_path).parent == cache_folder()


@pytest.mark.parametrize("kind", ["nbi", "nbc", "sha256"])
def test_damaged_code_is_compiled_again(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path / "cache"))
    source = tmp_path / "doubled.py"
    source.write_text(CACHED)
    for damage, hits in ((None, 0), (None, 1), ("cut", 0), ("flip", 0), ("gone", 0), (None, 1)):
        for file in tmp_path.rglob(f"*.{kind}") if damage else ():
            whole = file.read_bytes()
            flipped = bytes([*whole[:-1], whole[-1] ^ 1])
            file.write_bytes({"cut": whole[: len(whole) // 2], "flip": flipped, "gone": b""}[damage])
        twice = loaded(source)
        assert twice(21) == 42
        assert sum(twice.stats.cache_hits.values()) == hits


def loaded(source):
    """The compiled function of a module, as a new process would find it."""
    spec = importlib.util.spec_from_file_location("doubled", source)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.twice
