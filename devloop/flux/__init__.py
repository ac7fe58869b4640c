"""Installing Flux, for every cluster: the objects, the flags, where the controllers run."""
