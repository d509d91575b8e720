"""Photos from Google Images in a real browser."""
