"""LLM Twin: a person's articles, posts and code become a released model that answers with citations."""
