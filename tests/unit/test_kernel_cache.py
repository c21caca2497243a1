"""Cached kernels are those of the present sources, whichever file changed."""

from pathlib import Path

from microscale.kernel_cache import cache_folder, sources_digest
from multiscale.laws import neo_hooke

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
