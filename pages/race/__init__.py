"""The page "Race": the detectors of the lectures on one photo, each computed for real."""
