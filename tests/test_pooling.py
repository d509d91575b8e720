"""What is read of all scales of a backbone beside its last map's mean."""

from __future__ import annotations

import pytest
import timm
import torch

from mapsi.errors import UsageError
from mapsi.learn.network import AxisNetwork, widen
from mapsi.learn.pooling import BANDS, ScalePooling, bands, deviation

BACKBONE = "resnet10t"


def _network(*, scales: bool) -> AxisNetwork:
    torch.manual_seed(0)
    trunk = timm.create_model(BACKBONE, num_classes=0, global_pool="")
    return AxisNetwork(trunk, trunk.num_features, {"style": 3}, embedding=4, scales=scales).eval()


def _photos() -> torch.Tensor:
    return torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("height", [1, 2, 3, 5, 6, 7])
def test_bands_are_the_means_of_adaptive_pooling(height: int) -> None:
    maps = torch.randn(2, 4, height, 3)
    expected = torch.nn.functional.adaptive_avg_pool2d(maps, (BANDS, 1))[..., 0]
    assert torch.allclose(torch.stack(bands(maps), dim=2), expected, atol=1e-6)


def test_deviation_is_that_of_the_places_and_its_slope_is_finite_where_all_are_alike() -> None:
    maps = torch.randn(2, 4, 5, 5)
    assert torch.allclose(deviation(maps), maps.flatten(2).std(dim=2, correction=0), atol=1e-4)
    flat = torch.ones(1, 1, 4, 4, requires_grad=True)
    deviation(flat).sum().backward()  # type: ignore[no-untyped-call]
    assert flat.grad is not None
    assert bool(torch.isfinite(flat.grad).all())


def test_every_scale_gives_its_means_and_deviations() -> None:
    pooling = ScalePooling(8, (2, 3)).eval()
    last, scales = torch.randn(2, 8, 2, 2), [torch.randn(2, 2, 4, 4), torch.randn(2, 3, 2, 2)]
    told = pooling(last, scales)
    assert told.shape == (2, pooling.count) == (2, 8 + 2 * 5 + BANDS * 3)
    expected = torch.cat(
        [
            deviation(last),
            *(part for each in scales for part in (each.mean((2, 3)), deviation(each))),
            *bands(scales[1]),
        ],
        dim=1,
    )
    assert torch.allclose(told, expected, rtol=1e-4, atol=1e-5)


def test_a_network_that_is_widened_says_what_it_said() -> None:
    narrow, wide = _network(scales=False), _network(scales=False)
    widen(wide)
    with torch.no_grad():
        before, after = narrow.read(_photos()), wide.read(_photos())
    assert torch.allclose(before[0], after[0], atol=1e-5)
    for axis in before[1]:
        assert torch.allclose(before[1][axis], after[1][axis], atol=1e-5)
        assert torch.allclose(before[2][axis], after[2][axis], atol=1e-5)


def test_the_focus_is_the_last_maps_share_of_a_logit() -> None:
    network = _network(scales=True)
    with torch.no_grad():
        maps = network.maps(_photos())
        _, logits, focus, _ = network.read(_photos())
        rest = network.heads["style"](
            torch.cat([maps.last.mean((2, 3)) * 0, network.pool(maps)[:, network.width :]], 1)
        )
    assert torch.allclose(focus["style"].mean(dim=(2, 3)) + rest, logits["style"], atol=1e-4)


def test_a_backbone_without_four_scales_cannot_read_them() -> None:
    trunk = timm.create_model("vit_tiny_patch16_224", num_classes=0)
    with pytest.raises(UsageError, match="no four scales"):
        AxisNetwork(trunk, trunk.num_features, {}, scales=True)
