"""How a feed reaches us: fetched, watched, in which encoding."""
