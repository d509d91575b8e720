"""Language: words, Hangul, synonyms, colours, and the classes that words name."""
