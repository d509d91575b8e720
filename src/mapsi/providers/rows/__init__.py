"""The fields of one row of a feed, read and checked."""
