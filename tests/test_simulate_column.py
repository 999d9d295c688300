"""Water and energy of a column: nothing lost, closed forms, one direction of travel."""

import pytest
import torch

from course_utils.simulate.column import STEFAN_BOLTZMANN, columns, heating, longwave, rain_out


@pytest.fixture
def generator():
    """Draws the columns of each test."""
    return torch.Generator().manual_seed(0)


def test_no_water_is_made_or_lost_or_negative(generator):
    water = 10 * torch.rand(500, 8, generator=generator, dtype=torch.float64)
    capacity = 10 * torch.rand(8, generator=generator, dtype=torch.float64)
    after, rain = rain_out(water, capacity)
    assert torch.allclose(after.sum(-1) + rain, water.sum(-1), rtol=1e-14)
    assert (after >= 0).all() and (rain >= 0).all() and (after <= capacity + 1e-12).all()
    assert (rain > 0).any() and (rain == 0).any()


def test_rain_by_hand():
    water, capacity = torch.tensor([5.0, 1.0, 2.0]), torch.tensor([2.0, 3.0, 3.0])
    after, rain = rain_out(water, capacity)                # 3 fall, 1 of the 2 that fit evaporates, then 0.5 of 1
    assert after.tolist() == [2.0, 2.0, 2.5] and rain.item() == 1.5
    assert rain_out(water, capacity, evaporation=0.0)[1].item() == 3.0


def test_water_falls_down_not_up(generator):
    water, capacity = torch.rand(1, 6, generator=generator), torch.full((6,), 0.5)
    wetter = water.clone()
    wetter[0, 3] += 5
    before, after = (rain_out(column, capacity)[0] for column in (water, wetter))
    assert torch.equal(before[:, :3], after[:, :3]) and not torch.equal(before[:, 3:], after[:, 3:])


def test_a_column_of_one_temperature_has_a_closed_form():
    thickness = torch.tensor([0.1, 0.7, 0.0, 2.0], dtype=torch.float64)
    ground = torch.tensor(250.0, dtype=torch.float64)
    down, up = longwave(torch.full_like(thickness, 300.0), thickness, ground)
    above = torch.cat([torch.zeros(1), thickness.cumsum(0)])
    black = STEFAN_BOLTZMANN * 300.0**4
    assert torch.allclose(down, black * (1 - torch.exp(-above)))
    through = torch.exp(-(above[-1] - above))
    assert torch.allclose(up, black * (1 - through) + STEFAN_BOLTZMANN * 250.0**4 * through)


def test_the_heating_of_all_layers_is_what_passes_the_top_and_the_ground():
    some = columns(50, 20, seed=3)
    down, up = longwave(some.temperature, some.thickness, some.ground)
    kept = heating(down, up)
    assert kept.shape == some.temperature.shape
    assert torch.allclose(kept.sum(-1), (down - up)[:, 0] - (down - up)[:, -1], atol=1e-2)
    assert (up[:, 0] > 100).all() and (up[:, 0] < 480).all()            # W m⁻² to space: as on Earth


def test_the_same_columns_on_any_grid():
    coarse, fine = columns(40, 10, seed=1), columns(40, 40, seed=1)
    assert torch.equal(coarse.ground, fine.ground)
    assert torch.allclose(coarse.thickness, fine.thickness.reshape(40, 10, 4).sum(-1), atol=1e-4)
    assert (fine.thickness >= 0).all() and (fine.temperature >= 205).all()
    assert not torch.equal(coarse.ground, columns(40, 10, seed=2).ground)
