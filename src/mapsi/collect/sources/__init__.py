"""Where photos come from: official APIs, folders and lists."""
