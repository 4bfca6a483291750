"""Storage: what lies behind a URL, read and written through fsspec's backends, which are imported only when a URL is used."""
