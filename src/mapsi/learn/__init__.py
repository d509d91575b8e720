"""From a manifest to a model folder: data pipeline, network, recipe, training, export. Owns torch."""
