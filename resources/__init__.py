"""Clients to the outside: storage, models, tracing. Each works without Dagster and imports nothing of the project."""
