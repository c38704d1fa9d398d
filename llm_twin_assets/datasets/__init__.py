"""From cleaned documents to immutable training sets whose answers are the author's own text."""
