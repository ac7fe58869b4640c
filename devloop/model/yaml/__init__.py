"""YAML that people write, with the line of every value."""
