"""What is searched: the listings in memory, their filters, counts and suggestions."""
