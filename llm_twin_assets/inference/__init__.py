"""Question to answer with citations: prompt, retrieval, engine, support. No Dagster here."""
