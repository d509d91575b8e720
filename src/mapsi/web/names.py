"""Names of axes and classes, also of those that a model knows and the taxonomy does not."""

from __future__ import annotations

from mapsi.taxonomy import Name, Taxonomy


def class_name(taxonomy: Taxonomy, axis: str, slug: str) -> Name:
    """The names of a class; its slug where the taxonomy does not have it."""
    known = taxonomy.axes.get(axis)
    found = known.by_slug.get(slug) if known else None
    return found.name if found else Name(slug, slug)


def axis_name(taxonomy: Taxonomy, axis: str) -> Name:
    """The names of an axis; its slug where the taxonomy does not have it."""
    known = taxonomy.axes.get(axis)
    return known.name if known else Name(axis, axis)
