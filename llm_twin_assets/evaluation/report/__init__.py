"""The evaluation's report: what it shows, and how that looks in HTML and Markdown."""
