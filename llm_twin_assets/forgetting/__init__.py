"""One document out of everything that is kept of it, and out of everything that will be made."""
