"""What two models say of one photo, put beside each other, and against a ground truth."""
