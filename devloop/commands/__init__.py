"""One module per command, each from a request to a Report. Nothing here prints or parses arguments."""
