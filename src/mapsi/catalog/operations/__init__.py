"""Jobs, accounts, words that found nothing, and the state of the whole."""
