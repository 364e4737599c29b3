"""What runs in the browser: each with its Python door, scripts and styles."""
