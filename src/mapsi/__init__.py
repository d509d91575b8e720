"""Mapsi (맵시): from a photo of clothes to its style, its kind of garment and the products that look like it."""

import os

# Nothing calls home. onnxruntime writes a device id and reports to its maker from its import on, and the switch of its
# API comes too late for that: these have to be set before any library is imported, and processes we start inherit them.
os.environ.update(
    ORT_DISABLE_TELEMETRY="1",
    HF_HUB_DISABLE_TELEMETRY="1",  # timm's huggingface_hub
    SE_AVOID_STATS="true",  # selenium's manager
    DO_NOT_TRACK="1",
)

__version__ = "0.1.0"
