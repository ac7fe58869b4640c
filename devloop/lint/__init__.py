"""`devloop validate` and the preflight of `up`: context -> rules -> diagnostics."""
