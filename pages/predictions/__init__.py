"""The Predictions page and its parts."""
