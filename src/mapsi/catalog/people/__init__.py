"""People and what is theirs: accounts, sessions, saved products, letters to them."""
