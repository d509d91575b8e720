"""Accounts: the one way in, for shoppers and operators, and the pages of what is one's own."""
