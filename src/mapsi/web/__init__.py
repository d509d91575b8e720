"""The pages, the JSON API and the server that gives them out. Owns Flask."""
