"""From a photo or words to a page of products: index, ranking, finder. Owns the vector engine."""
