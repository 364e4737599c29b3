"""Style transfer by Gram matrices (Gatys et al. 2016) and DeepDream (Mordvintsev et al. 2015)."""
