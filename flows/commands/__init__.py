"""One file a command; flows/cli.py lists them."""
