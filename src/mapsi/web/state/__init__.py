"""What lives in a process between requests."""
