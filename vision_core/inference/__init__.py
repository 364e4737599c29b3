"""Photo and model to a trace: everything the network said, before any threshold."""
