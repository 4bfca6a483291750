"""The hardware targets that come with the core: `cpu` and `gpu`, on the public hooks as anyone's are."""
