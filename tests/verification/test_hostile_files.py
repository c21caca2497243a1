"""A short fuzzing of every kind of file; `python tests/verification/hostile_files.py` is the long one."""

import pytest
from hostile_files import BAD, fuzz


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_changed_files_end_in_one_line_or_change_nothing_unseen(tmp_path):
    counts = fuzz(64, 2, tmp_path)
    assert {name: {bad: found[bad] for bad in BAD if found[bad]} for name, found in counts.items()} == {
        name: {} for name in counts
    }
    assert sum(found["refused"] for found in counts.values()) > 20
