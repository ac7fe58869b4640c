"""Turns facts about the machine, read by `devloop.clients`, into diagnoses. No I/O."""
