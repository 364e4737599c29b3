"""Scores of detections and class maps on one photo: curves, kinds of error, calibration."""
