"""Sources: where samples come from. The three here read local JSON lines, on the hooks that anyone's source uses."""
