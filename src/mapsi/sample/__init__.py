"""The sample shop: drawn garments and the Merchant feed that lists them."""
