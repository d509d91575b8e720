"""Sources brought up to date: feeds fetched, queries asked, what may be admitted."""
