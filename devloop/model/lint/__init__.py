"""What rules look at and what they report. Values only."""
