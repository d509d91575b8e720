"""Shared lists of products, which last, and whose they are."""
