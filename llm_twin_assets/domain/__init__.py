"""What the system speaks of: documents, chunks, samples, releases. No Dagster, no clients."""
