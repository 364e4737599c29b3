"""What the Compare page is made of: a column for each model, and what differs between them."""
