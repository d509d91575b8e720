"""The report: what is in it, and its pages, plots and terminal form."""
