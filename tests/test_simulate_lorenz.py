"""Lorenz's equations against another integrator, closed forms, and the growth of small differences."""

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from torch.func import jacrev

from course_utils.simulate import lorenz


@pytest.fixture
def generator():
    """Draws the states of each test."""
    return torch.Generator().manual_seed(0)


def test_a_run_is_that_of_another_integrator(generator):
    start = lorenz.states(1, generator)[0]
    mine = lorenz.run(start, 60, lambda state: lorenz.advance(state, parts=50))         # three units of time
    times = lorenz.STEP * np.arange(61)
    other = solve_ivp(lambda _, s: lorenz.tendency(torch.from_numpy(s)).numpy(), (0, 3), start.numpy(), "DOP853", times,
                      rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(mine.numpy(), other.y.T, atol=1e-6)


def test_the_scheme_is_of_fourth_order(generator):
    start = lorenz.states(20, generator)
    exact = lorenz.advance(start, parts=160)
    coarse, fine = ((lorenz.advance(start, parts=parts) - exact).abs().mean() for parts in (5, 10))
    assert 12 < coarse / fine < 20                                # halving the step: a sixteenth of the error


def test_volumes_shrink_at_the_same_rate_everywhere(generator):
    for state in lorenz.states(5, generator):
        assert jacrev(lorenz.tendency)(state).trace() == pytest.approx(-(lorenz.SIGMA + 1 + lorenz.BETA))


def test_the_equations_do_not_know_which_way_a_roll_turns(generator):
    state, mirror = lorenz.states(5, generator), torch.tensor([-1.0, -1.0, 1.0])
    assert torch.allclose(lorenz.advance(mirror * state), mirror * lorenz.advance(state))


def test_steady_convection_is_steady_and_weakly_unstable():
    for state in lorenz.steady():
        assert torch.allclose(lorenz.run(state, 3), state, atol=1e-9)
        growth = torch.linalg.eigvals(jacrev(lorenz.advance)(state)).abs().max()
        rate = torch.linalg.eigvals(jacrev(lorenz.tendency)(state)).real.max()
        assert growth.item() == pytest.approx(np.exp(lorenz.STEP * rate.item()), rel=1e-6)
        assert 1 < growth < 1.01


def test_small_differences_grow_at_the_stated_rate(generator):
    state = lorenz.states(200, generator)
    apart = 1e-8 * torch.nn.functional.normalize(torch.randn(200, 3, generator=generator, dtype=torch.float64), dim=-1)
    rates = []
    for _ in range(300):                                          # 15 units of time; made small again after each step
        moved = lorenz.advance(state + apart)
        state = lorenz.advance(state)
        length = (moved - state).norm(dim=-1, keepdim=True)
        rates.append((length / 1e-8).log().mean().item() / lorenz.STEP)
        apart = 1e-8 * (moved - state) / length
    assert np.mean(rates[60:]) == pytest.approx(lorenz.LYAPUNOV, abs=0.03)


def test_a_run_takes_any_step_and_any_number_of_states():
    doubled = lorenz.run(torch.ones(2, 5, 3), 4, lambda state: 2 * state)
    assert doubled.shape == (5, 2, 5, 3) and (doubled[4] == 16).all()
    assert lorenz.run(torch.ones(3, dtype=torch.float32), 1).dtype == torch.float32
