"""Lorenz's three equations of convection: the smallest weather that cannot be forecast for long (chapter 16).

With x the strength of a convection roll, y the temperature difference between its rising and sinking air, and z how far
the vertical profile is from a straight line,

    dx/dt = σ (y − x),   dy/dt = x (ρ − z) − y,   dz/dt = x y − β z,   σ = 10, ρ = 28, β = 8/3.

A state is a tensor (..., 3): any number of weathers advance together, in the precision of the tensor.

Source: E. N. Lorenz, Journal of the Atmospheric Sciences 20 (1963), doi:10.1175/1520-0469(1963)020<0130:DNF>2.0.CO;2.
"""

from collections.abc import Callable

import torch
from torch import Tensor

SIGMA, RHO, BETA = 10.0, 28.0, 8 / 3
STEP = 0.05             # of the forecasts of chapter 16, in the equations' unit of time
PARTS = 5               # Runge–Kutta steps to one of these
LYAPUNOV = 0.906        # small differences grow like exp(0.906 t): `tests/test_simulate_lorenz.py` measures it


def tendency(state: Tensor) -> Tensor:
    """Give the time derivative of a state.

    Args:
        state: (..., 3) floating-point.

    Returns:
        Same shape.

    Example:
        >>> tendency(torch.tensor([1.0, 2.0, 3.0])).tolist()
        [10.0, 23.0, -6.0]
    """
    x, y, z = state.unbind(-1)
    return torch.stack([SIGMA * (y - x), x * (RHO - z) - y, x * y - BETA * z], dim=-1)


def advance(state: Tensor, step: float = STEP, parts: int = PARTS) -> Tensor:
    """Advance a state by one step, in equal parts, each by the classical Runge–Kutta scheme of fourth order.

    Args:
        state: (..., 3) floating-point.
        step: length of the step.
        parts: how many equal parts it is made of.

    Returns:
        Same shape.
    """
    h = step / parts
    for _ in range(parts):
        first = tendency(state)
        second = tendency(state + h / 2 * first)
        third = tendency(state + h / 2 * second)
        fourth = tendency(state + h * third)
        state = state + h / 6 * (first + 2 * second + 2 * third + fourth)
    return state


def run(start: Tensor, steps: int, one_step: Callable[[Tensor], Tensor] = advance) -> Tensor:
    """Take many steps, each from where the last one arrived.

    Args:
        start: (..., 3) floating-point.
        steps: how many.
        one_step: maps a state to the next one: `advance`, or a network that has learned it.

    Returns:
        (steps + 1, ..., 3); the first is the start.

    Example:
        >>> run(torch.ones(4, 3), 10).shape
        torch.Size([11, 4, 3])
    """
    states = [start]
    for _ in range(steps):
        states.append(one_step(states[-1]))
    return torch.stack(states)


def states(count: int, generator: torch.Generator) -> Tensor:
    """Draw states as they occur: random ones, after 20 units of time.

    Args:
        count: how many.
        generator: source of randomness.

    Returns:
        (count, 3) float64.
    """
    centre = torch.tensor([0.0, 0.0, 25.0], dtype=torch.float64)
    start = centre + 5 * torch.randn(count, 3, generator=generator, dtype=torch.float64)
    return run(start, int(20 / STEP))[-1]


def steady() -> Tensor:
    """Give the two states of steady convection, at which nothing changes; both are weakly unstable.

    Returns:
        (2, 3) float64; the roll turns one way in the first and the other way in the second.

    Example:
        >>> tendency(steady()).abs().max().item() < 1e-12
        True
    """
    level = RHO - 1
    side = (BETA * level) ** 0.5
    return torch.tensor([[side, side, level], [-side, -side, level]], dtype=torch.float64)
