"""Mapsi (맵시): from a photo of clothes to its style, its kind of garment and the products that look like it."""

__version__ = "0.1.0"
