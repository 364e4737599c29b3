"""What a user may ask for, and mistakes in it: told from words and cards, without PyTorch."""
