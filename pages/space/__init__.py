"""The page "Feature space"."""
