"""Git repositories, here or elsewhere: which files are code, and which of those the author wrote."""
