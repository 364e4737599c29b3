"""Training: a network learns before everyone's eyes."""
