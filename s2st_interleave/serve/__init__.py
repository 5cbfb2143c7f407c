"""A page and a JSON API on loopback, behind which packed models translate speech."""
