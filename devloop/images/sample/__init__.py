"""All workloads of the sample platform (docs/sample-platform.md) in one program, `python3 -m sample`: standard library only, no devloop."""
