"""What devloop promises about its speed, measured on the machine at hand. Run as `python -m benchmarks`, see README.md."""
