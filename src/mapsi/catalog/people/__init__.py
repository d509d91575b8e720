"""People and what they keep: saved products."""
