"""Jobs, searches, clicks, joins and corrections, snapshots, and the state of the whole."""
