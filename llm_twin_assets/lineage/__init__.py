"""What came of what: answers, releases, models, datasets, snapshots and documents as one graph."""
