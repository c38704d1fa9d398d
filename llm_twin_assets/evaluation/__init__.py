"""Candidate against champion on documents neither has seen; the gate."""
