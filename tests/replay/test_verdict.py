"""The limits on the statistics of one output."""

from __future__ import annotations

import numpy as np
import pytest

from ait_cmp import Limits, _core
from ait_cmp.replay.evaluate import Sums
from ait_cmp.replay.verdict import judge

U = 2.0**-11


@pytest.mark.parametrize(
    ("units", "said"), [(0.8, "too large"), (-0.8, "too small"), (0.2, ""), (-0.2, "")]
)
def test_errors_all_of_one_sign_are_no_rounding_whichever_it_is(units: float, said: str) -> None:
    random = np.random.default_rng(1)
    reference = random.standard_normal(4096)
    errors = _core.ErrorSums(roundoff=U, floor=0.0, saturation=np.inf, element_max=16.0)
    errors.add(reference * (1 + U * (units + 0.3 * random.standard_normal(4096))), reference)
    found = judge(Sums("rounded", errors), Limits(), 4096)
    assert found.bias == pytest.approx(units, abs=0.05)
    assert found.status == ("wrong" if said else "right")
    assert said in found.reason


@pytest.mark.parametrize(("units", "status"), [(15.0, "right"), (17.0, "wrong"), (-17.0, "wrong")])
def test_one_element_too_far_off_is_wrong_though_the_whole_is_near(
    units: float, status: str
) -> None:
    random = np.random.default_rng(1)
    reference = random.standard_normal(4096)
    error = 0.3 * random.standard_normal(4096)
    reference[7], error[7] = 1.0, units
    errors = _core.ErrorSums(roundoff=U, floor=0.0, saturation=np.inf, element_max=16.0)
    errors.add(reference * (1 + U * error), reference)
    found = judge(Sums("rounded", errors), Limits(), 4096)
    assert found.worst_units == pytest.approx(abs(units))
    assert found.own_growth is not None
    assert found.own_growth < Limits().own_growth_max / 2
    assert (found.status, found.n_wrong) == (status, int(status == "wrong"))
