"""Networks side by side learn as if alone; shares conserve; a learned step and a column's network do as they say."""

import pytest
import torch
from torch import nn

from course_utils.models.column import ColumnRNN
from course_utils.models.conserving import share_out
from course_utils.models.many import ManyMLP, fit_many
from course_utils.models.stepper import LearnedStep, ahead_loss


def alone(many, place):
    """One of many networks, as an ordinary one."""
    layers = []
    for weight, bias in zip(many.weights, many.biases, strict=True):
        layer = nn.Linear(*weight.shape[1:])
        layer.weight.data, layer.bias.data = weight[place].T.detach().clone(), bias[place, 0].detach().clone()
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


@pytest.fixture
def data():
    """Inputs and what to learn from them."""
    inputs = torch.randn(200, 3, generator=torch.Generator().manual_seed(1))
    return inputs, inputs.square().sum(dim=1, keepdim=True)


def test_each_network_answers_as_if_alone(data):
    many = ManyMLP(4, (3, 8, 8, 1), seed=0)
    together = many(data[0])
    for place in range(4):
        assert torch.allclose(together[place], alone(many, place)(data[0]), atol=1e-6)
    own = torch.randn(4, 50, 3, generator=torch.Generator().manual_seed(2))
    assert torch.allclose(many(own)[2], alone(many, 2)(own[2]), atol=1e-6)


def test_each_network_learns_as_if_alone(data):
    inputs, target = data
    many = ManyMLP(3, (3, 8, 1), seed=0)
    single = alone(many, 1)
    fit_many(many, lambda rows: (many(inputs[rows]) - target[rows]).square().mean((1, 2)), 200, steps=50, batch=32)
    generator = torch.Generator().manual_seed(0)
    optimizer = torch.optim.Adam(single.parameters(), 3e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=50)
    for _ in range(50):
        rows = torch.randint(200, (3, 32), generator=generator)[1]
        optimizer.zero_grad()
        (single(inputs[rows]) - target[rows]).square().mean().backward()
        optimizer.step()
        schedule.step()
    assert torch.allclose(many(inputs)[1], single(inputs), atol=1e-4)


def test_first_weights_are_spread_like_those_of_a_linear_layer():
    weights = ManyMLP(50, (16, 32, 1), seed=0).weights[0]
    assert weights.abs().max() <= 0.25 and weights.abs().max() > 0.24
    assert not torch.equal(weights[0], weights[1])
    assert not torch.equal(weights, ManyMLP(50, (16, 32, 1), seed=1).weights[0])


def test_a_plain_network_can_be_fitted_too(data):
    torch.manual_seed(0)
    net = nn.Linear(3, 1)
    target = data[0] @ torch.tensor([[1.0], [2.0], [-1.0]])
    fit_many(net, lambda rows: (net(data[0][rows[0]]) - target[rows[0]]).square().mean(), 200, 300, learning_rate=0.1)
    assert torch.allclose(net.weight, torch.tensor([[1.0, 2.0, -1.0]]), atol=0.05)


def test_shares_make_the_total_and_pass_gradients():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(4, 50, 9, generator=generator, requires_grad=True)
    total = 40 * torch.rand(4, 50, generator=generator)
    shares = share_out(nn.functional.softplus(logits), total)
    assert (shares >= 0).all() and torch.allclose(shares.sum(-1), total, rtol=1e-6)
    shares[..., -1].sum().backward()
    assert logits.grad.abs().sum() > 0
    assert (share_out(torch.ones(3), torch.tensor(0.0)) == 0).all()


def record():
    return torch.cumsum(torch.randn(100, 2, 3, generator=torch.Generator().manual_seed(3)), dim=0)


def test_a_step_of_a_network_that_says_nothing_is_no_step():
    net = ManyMLP(2, (3, 4, 3), seed=0)
    for parameter in net.parameters():
        parameter.data.zero_()
    step = LearnedStep(net, record())
    state = torch.ones(2, 5, 3)
    assert torch.equal(step(state), state) and step.count == 2
    rows = torch.tensor([[0, 7], [3, 9]])
    moves = record().diff(dim=0)
    for place in range(2):                                # each network's loss is that of its own record
        gone = moves[rows[place], place] / moves.flatten(0, 1).std(dim=0)
        assert ahead_loss(step, record(), rows)[place].item() == pytest.approx(gone.square().mean().item(), rel=1e-5)


def test_several_steps_are_taken_from_where_the_last_one_arrived():
    step, rows = LearnedStep(ManyMLP(2, (3, 4, 3), seed=0), record()), torch.tensor([[0, 7], [3, 9]])
    def at(rows):
        return torch.stack([record()[rows[place], place] for place in range(2)])

    one = step(at(rows))
    two = step(one)
    losses = [((state - at(rows + n)) / step.change).square().mean((1, 2)) for n, state in ((1, one), (2, two))]
    assert torch.allclose(ahead_loss(step, record(), rows, 2), (losses[0] + losses[1]) / 2)


@pytest.mark.parametrize("place", [0, 7, 19])
def test_every_layer_of_a_column_hears_of_every_other(place):
    torch.manual_seed(0)
    net = ColumnRNN(2, width=6)
    column = torch.zeros(1, 20, 2, requires_grad=True)
    net(column)[0, place].backward()
    assert (column.grad[0].abs().sum(dim=1) > 0).all()
