"""What a cluster definition and an environment say."""
