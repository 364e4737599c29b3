"""The Receptive field page and its parts."""
