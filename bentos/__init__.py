"""The BentoML service that people and programs talk to."""
