"""The operator's pages, behind a log-in: how sources, work, pictures and searches are doing."""
