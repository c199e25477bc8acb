"""Signals that are held back while rows, counts and files are brought to agree."""

from __future__ import annotations

import os
import signal

import pytest

from ait_cmp.report.interrupts import interrupts_held


def test_a_second_ctrl_c_does_not_wait() -> None:
    came = []

    def press(times: int) -> None:
        with interrupts_held():
            for number in range(times):
                came.append(number)
                os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        press(3)
    assert came == [0, 1]
