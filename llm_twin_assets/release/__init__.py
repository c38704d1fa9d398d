"""A person's decision, the release record it leads to, and the pointer the service follows."""
