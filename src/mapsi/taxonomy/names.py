"""Names of axes and classes, also of those that a model knows and the taxonomy does not, and of colours."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from mapsi.taxonomy import Name, Taxonomy
from mapsi.taxonomy.synonyms import load_colors


@cache
def color_names() -> Mapping[str, Name]:
    """The names of the colour families by slug, in the order of their file."""
    return {family.slug: family.name for family in load_colors()}


def class_name(taxonomy: Taxonomy, axis: str, slug: str) -> Name:
    """The names of a class; its slug where the taxonomy does not have it."""
    known = taxonomy.axes.get(axis)
    found = known.by_slug.get(slug) if known else None
    return found.name if found else Name(slug, slug)


def axis_name(taxonomy: Taxonomy, axis: str) -> Name:
    """The names of an axis; its slug where the taxonomy does not have it."""
    known = taxonomy.axes.get(axis)
    return known.name if known else Name(axis, axis)
