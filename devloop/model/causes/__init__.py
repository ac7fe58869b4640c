"""Why an environment is not healthy: causes, from the objects that a watch has seen. No I/O."""
