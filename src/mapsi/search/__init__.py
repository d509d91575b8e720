"""From a photo or words to a page of products: index, ranking, finder, refresh. Owns the vector engine."""
