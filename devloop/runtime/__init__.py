"""Where the Git server and Flux run: in containers, or as host processes under a supervisor."""
