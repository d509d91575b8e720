"""The one fetcher for every address from outside: photos by URL, feeds, product pictures, crawled photos.

Nothing else in mapsi opens a connection to an address that a stranger named. ``docs/remote.md`` tells what it refuses.
"""

from mapsi.remote.fetcher import Downloaded, Fetched, Fetcher

__all__ = ["Downloaded", "Fetched", "Fetcher"]
