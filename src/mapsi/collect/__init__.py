"""Photos for the classes of a taxonomy: sources behind one interface, a harvest that files what they find, a ledger."""
