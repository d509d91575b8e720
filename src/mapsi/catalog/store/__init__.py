"""The database, its tables and locks, and what follows from a change in them."""
