"""The page of ``mapsi collect review``: an application of its own, for one person on this machine."""
