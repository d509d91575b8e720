"""Lists of products as pages show them."""
