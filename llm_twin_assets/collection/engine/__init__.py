"""From events to the warehouse: identity, editions, sightings, state, cross-posts. No platform is named here."""
