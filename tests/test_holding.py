"""What is held of a backbone as it starts: the answers stay, what learns learns the same, what is held does not
move."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mapsi.errors import UsageError
from mapsi.learn.fitting.holding import hold_layers, hold_norms
from mapsi.learn.network import AxisNetwork, Start, build_network

BACKBONES = ("tf_efficientnet_lite0", "resnet18")


def fresh(backbone: str) -> AxisNetwork:
    """A network whose norms have seen something, so that folding them is no matter of course."""
    torch.manual_seed(0)
    network = build_network(backbone, {"style": 3}, Start(), embedding=8)
    for norm in network.modules():
        if isinstance(norm, nn.BatchNorm2d):
            assert norm.running_mean is not None
            assert norm.running_var is not None
            for values, low, high in ((norm.running_mean, -0.3, 0.3), (norm.running_var, 0.5, 2.0)):
                values.uniform_(low, high)
            nn.init.uniform_(norm.weight, 0.5, 1.5)
            nn.init.uniform_(norm.bias, -0.2, 0.2)
    return network


def photos() -> Tensor:
    return torch.from_numpy(np.random.default_rng(1).normal(size=(2, 3, 64, 64)).astype(np.float32))


def held(backbone: str) -> AxisNetwork:
    network = fresh(backbone)
    hold_norms(network.backbone, torch.zeros(1, 3, 64, 64))
    return network


@pytest.mark.parametrize("backbone", BACKBONES)
def test_a_network_whose_norms_are_held_answers_as_one_that_does_not_learn(backbone: str) -> None:
    plain, folded = fresh(backbone).eval(), held(backbone).train()
    with torch.no_grad():
        expected = plain.features(photos())
        assert torch.allclose(folded.features(photos()), expected, rtol=1e-3, atol=1e-4 * float(expected.abs().max()))


@pytest.mark.parametrize("backbone", BACKBONES)
def test_what_it_learns_is_what_it_would_with_its_norms_at_rest(backbone: str) -> None:
    plain, folded = fresh(backbone).eval(), held(backbone).train()
    for network in (plain, folded):
        network.features(photos()).square().mean().backward()
    slow, fast = dict(plain.named_parameters()), dict(folded.named_parameters())
    assert slow.keys() == fast.keys()
    for name, parameter in slow.items():
        if parameter.grad is not None:
            assert fast[name].grad is not None
            size = float(parameter.grad.abs().max())
            assert torch.allclose(fast[name].grad, parameter.grad, rtol=1e-2, atol=1e-3 * size + 1e-7), name


def test_its_weights_have_the_names_and_shapes_of_any_other() -> None:
    states = [{k: v.shape for k, v in made(BACKBONES[0]).state_dict().items()} for made in (fresh, held)]
    assert states[0] == states[1]


def test_its_norms_see_nothing_more() -> None:
    network = held(BACKBONES[0]).train()
    before = {name: value.clone() for name, value in network.backbone.named_buffers()}
    network.features(photos())
    assert all(torch.equal(before[name], value) for name, value in network.backbone.named_buffers())


def test_a_copy_has_weights_of_its_own() -> None:
    network = held(BACKBONES[0]).eval()
    other = copy.deepcopy(network)
    with torch.no_grad():
        expected = network.features(photos())
        for parameter in other.backbone.parameters():
            parameter.zero_()
        assert torch.equal(network.features(photos()), expected)
        assert not torch.equal(other.features(photos()), expected)


@pytest.mark.parametrize(
    ("backbone", "still", "moves"),
    [
        ("tf_efficientnet_lite0", ("conv_stem.", "bn1.", "blocks.0.", "blocks.1."), "blocks.2."),
        ("resnet18", ("conv1.", "bn1.", "layer1.", "layer2."), "layer3."),
    ],
)
def test_the_lowest_layers_stay_and_the_others_learn(backbone: str, still: tuple[str, ...], moves: str) -> None:
    network = fresh(backbone).eval()
    hold_layers(network.backbone, 3)
    network.features(photos()).square().mean().backward()
    for name, parameter in network.backbone.named_parameters():
        assert (parameter.grad is None) == name.startswith(still), name
    assert any(name.startswith(moves) for name, _ in network.backbone.named_parameters())


def test_a_backbone_of_which_all_would_be_held_is_refused() -> None:
    with pytest.raises(UsageError, match="99 are to be held"):
        hold_layers(fresh("resnet18").backbone, 99)
