"""A detector opened: what happens between the pixels and the candidates, and how it is taught.

``opened`` runs a detector once and keeps what a trace alone leaves out: the padded input, the
feature maps and what the heads said about every anchor. All other modules work on that.
"""
