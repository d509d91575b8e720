"""What is searched: the index of words, filters, counts and suggestions."""
