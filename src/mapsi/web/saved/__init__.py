"""Saved products: kept on the device without an account."""
