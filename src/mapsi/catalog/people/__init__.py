"""People and what is theirs: accounts, sessions, saved products, emails to them."""
