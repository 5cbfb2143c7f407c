"""Where each word lies in time."""
