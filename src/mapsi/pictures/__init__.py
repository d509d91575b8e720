"""Product pictures: copied from shops, stored, read by the model."""
