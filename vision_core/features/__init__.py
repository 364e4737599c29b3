"""What a network has learned to look for: filters, activations, receptive fields, maximisation."""
