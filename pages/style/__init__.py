"""The Style page: style transfer and DeepDream."""
