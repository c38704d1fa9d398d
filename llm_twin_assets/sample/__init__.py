"""The sample author: Maya Lindqvist's texts, and the code that packs them into the platforms' export formats."""
