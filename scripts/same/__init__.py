"""Checks that two builds of devloop behave the same: runs a fixed list of commands with both and compares all output.

The list is tests/same/commands.yaml, what it runs over tests/same/{repositories,definitions}.yaml, the fixtures of the rules, tests/zoo and
the cases beside the repository. `python -m scripts.same --help` lists its options.
"""
