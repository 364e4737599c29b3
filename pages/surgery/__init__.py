"""What the page "Surgery" is made of: the dials, the two results, and all subsets of blocks."""
