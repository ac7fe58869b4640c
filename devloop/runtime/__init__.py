"""Where the Git server and Flux run next to a cluster: containers of its engine, or host processes under a supervisor."""
