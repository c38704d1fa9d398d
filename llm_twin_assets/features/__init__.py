"""From raw documents to searchable chunks: extract, clean, chunk, embed, retrieve."""
