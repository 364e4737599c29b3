"""The operators' pages and what only they use."""
