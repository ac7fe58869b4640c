"""`task faults`: plants each fault of tests/faults in a running environment and measures how soon devloop names its cause."""
