"""One collection: class by class from searches to filed photos."""
