"""The program in the sample platform's image (docs/sample-platform.md): every workload in one, on Python's standard library alone.

It runs in a container, as `python3 -m sample`, and imports nothing of devloop.
"""
