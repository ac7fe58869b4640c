"""SOPS files and creation rules, without a key."""
