"""One file that holds a whole shop, written while it is served, and the way back from it."""
