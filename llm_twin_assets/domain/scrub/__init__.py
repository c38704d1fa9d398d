"""Secrets and personal data out of a text, typed placeholders in; everything else stays byte for byte."""

from llm_twin_assets.domain.scrub.scrubber import PLACEHOLDERS, Scrubbed, Scrubber, scrub

__all__ = ["PLACEHOLDERS", "Scrubbed", "Scrubber", "scrub"]
