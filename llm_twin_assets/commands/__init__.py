"""What the commands of `twin` do; `cli.py` only parses and prints errors."""
