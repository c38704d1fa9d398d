"""Count and check a writer's corpus: small tools, each short enough to read before you trust it."""

__version__ = "0.3.0"
