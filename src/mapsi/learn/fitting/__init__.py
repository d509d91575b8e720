"""From photos and a recipe to a run folder."""
