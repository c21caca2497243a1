"""Long work says what it is, how far it is and when it ends, within about a second."""

import math
import re
import time

import numpy as np
import pytest

from microscale import progress
from microscale.law import ConstitutiveLaw, drive
from microscale.progress import Task, doing, line, reporting, said, share_of, task, tracked


class Slow(ConstitutiveLaw):
    """A law that takes its time."""

    name, density = "slow", 1.0

    def _update(self, F, dt, state, out):
        time.sleep(0.1)
        out[:] = 0.0

    def wave_speed(self):
        return 1.0


def test_shares_of_tasks_within_tasks():
    assert share_of([Task("paths", 4, 1)]) == 0.25
    assert share_of([Task("paths", 4, 1), Task("steps", 10, 5)]) == pytest.approx(0.375)
    assert share_of([Task("paths", 4, 1), Task("steps", 10, 5), Task("calls", math.inf, 7)]) == 0.375
    assert share_of([Task("none", 0)]) == 1.0
    # 64 paths at once that are half way are 32 of them.
    assert share_of([Task("paths", 256, 64, at_once=64), Task("steps", 10, 5)]) == pytest.approx(96 / 256)


def test_a_line_says_what_how_far_and_how_long():
    tasks = [Task("paths", 4, 1, began=10.0), Task("steps", 10, 5, began=20.0)]
    assert line(tasks, 40.0, 0.0) == "paths 1/4, steps 5/10, 0:00:40 so far, ETA 0:00:50"
    assert line([Task("tries", math.inf, 3)], 40.0, 0.0) == "tries 3, 0:00:40 so far"
    assert line([], 2.0, 0.0) == "at work, 0:00:02 so far"
    with doing("making the mesh") as part:
        assert line([part], 2.0, 0.0) == "making the mesh, 0:00:02 so far"


def test_a_law_that_is_driven_tells_before_it_ends(capsys):
    with reporting("program"):
        drive(Slow(), np.broadcast_to(np.eye(3), (1, 20, 3, 3)), np.arange(20.0))
    first = capsys.readouterr().out.splitlines()[0]
    told = r"program: slow along 1 path\(s\), samples (\d+)/20, 0:00:0\d so far, ETA 0:00:\d\d"
    assert 1 <= int(re.fullmatch(told, first)[1]) < 20


def test_lines_come_after_one_second_two_four_eight_and_then_every_ten():
    silence, now, gaps = progress._Silence(), 0.0, []
    for _ in range(6):
        silence.since = now
        while not silence.is_too_long(now):
            now += 0.5
        gaps.append(now - silence.since)
        silence.end(2.0 * silence.gap)
    assert gaps == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]


def test_one_long_call_is_told_of_too_and_short_work_is_silent(capsys):
    with reporting("program"):
        time.sleep(1.3)
    assert capsys.readouterr().out.startswith("program: at work, 0:00:01 so far\n")
    with reporting("program"):
        drive(Slow(), np.broadcast_to(np.eye(3), (1, 5, 3, 3)), np.arange(5.0))
    assert capsys.readouterr().out == ""


def test_who_has_other_words_is_not_interrupted(capsys):
    with reporting("program"), task("runs", 2):
        said()
        time.sleep(1.3)
    assert capsys.readouterr().out == ""


def test_without_a_program_all_is_silent_and_tasks_end_with_what_they_are_of(capsys):
    for _ in tracked([1, 2, 3], "things"):
        assert [each.what for each in progress._tasks] == ["things"]
        break
    with pytest.raises(ZeroDivisionError), task("division", 1):
        raise ZeroDivisionError
    assert progress._tasks == []
    assert list(tracked(range(3), "things")) == [0, 1, 2]
    assert capsys.readouterr().out == ""
