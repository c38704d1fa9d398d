"""A chat model that compares answers; it only reports unless people's labels say that it can be trusted."""
