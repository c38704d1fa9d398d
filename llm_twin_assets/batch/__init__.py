"""Batch answers: questions in a table, answered by the released twin."""
