"""Shops' offers on their way in: sources, runs, staging and the switch."""
