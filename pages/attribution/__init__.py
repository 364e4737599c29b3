"""The Attribution page and its parts."""
