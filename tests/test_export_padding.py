"""What an exported network does beside its convolutions: as little as can be."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import timm
import torch
from timm.layers.conv2d_same import Conv2dSame
from torch import Tensor

from mapsi.imaging import Preprocessing
from mapsi.learn.export.export import largest_gap, quantise, write_onnx
from mapsi.learn.export.padding import with_fixed_padding
from mapsi.learn.network import AxisNetwork
from mapsi.learn.photos import FIT

SIDE = 64


@pytest.fixture(scope="module")
def network() -> AxisNetwork:
    torch.manual_seed(0)
    backbone = timm.create_model("tf_efficientnet_lite0", num_classes=0, global_pool="")
    return AxisNetwork(backbone, 1280, {"style": 3}, embedding=8, groups=9, scales=True).eval()


def inputs(side: int) -> Tensor:
    return torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(side))


@pytest.mark.parametrize("side", [32, 64, 96, 160])
def test_sides_that_are_halved_evenly_are_padded_alike_by_numbers(network: AxisNetwork, side: int) -> None:
    fixed = with_fixed_padding(network)
    assert not any(isinstance(part, Conv2dSame) for part in fixed.modules())
    with torch.inference_mode():
        for here, there in zip(network.maps(inputs(side)).scales, fixed.maps(inputs(side)).scales, strict=True):
            assert torch.equal(here, there)


def test_the_network_itself_stays_as_it_is(network: AxisNetwork) -> None:
    with_fixed_padding(network)
    assert sum(isinstance(part, Conv2dSame) for part in network.modules()) == 5


def test_int8_is_rounded_to_once_and_no_side_is_asked_for(network: AxisNetwork, tmp_path: Path) -> None:
    plain, small = tmp_path / "float.onnx", tmp_path / "int8.onnx"
    scale = (0.5, 0.5, 0.5)
    write_onnx(network, ["style"], Preprocessing(SIDE, FIT, scale, scale), plain)
    assert largest_gap(network, ["style"], plain, inputs(SIDE).numpy()) < 1e-4
    assert largest_gap(network, ["style"], plain, inputs(96).numpy()) < 1e-4  # a map at a size of its own
    quantise(plain, small, inputs(SIDE).numpy())
    graph = onnx.load(small).graph
    made = {name: node.op_type for node in graph.node for name in node.output}
    kinds = Counter(node.op_type for node in graph.node)
    assert "Pad" not in kinds
    assert [made.get(node.input[0]) for node in graph.node if node.op_type == "Clip"].count("DequantizeLinear") == 0
    convolutions = [node.name for node in graph.node if node.op_type == "Conv"]
    asked = [node.name for node in graph.node if node.op_type == "Shape" and "/conv" in node.name]
    assert (len(convolutions) > 50, asked) == (True, [])
    session = ort.InferenceSession(small, providers=["CPUExecutionProvider"])
    (embedding,) = session.run(["embedding"], {"photos": inputs(SIDE).numpy()})
    assert np.linalg.norm(embedding, axis=1) == pytest.approx(np.ones(2), abs=1e-4)
