"""What ConvScope computes, without its pages: models, inference, explanations, comparisons."""

__version__ = "0.2.0"
