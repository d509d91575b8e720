"""What is known of product pictures: what to fetch, what was read in them, which go."""
