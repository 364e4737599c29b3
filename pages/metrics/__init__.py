"""The page "Metrics": how good detections and class maps are, number by number."""
