"""The page "Inside a detector": one place of the photo from pixels to proposals and targets."""
