"""The garments, each a drawing of its cut."""
