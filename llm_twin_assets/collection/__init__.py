"""From the outside to raw documents: connectors per platform, scrubbing, the raw assets."""
