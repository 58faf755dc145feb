"""Files in: each reader turns one file into one source, or refuses it."""
