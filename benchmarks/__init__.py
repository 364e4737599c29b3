"""One script per promise about speed; each prints one JSON object."""
