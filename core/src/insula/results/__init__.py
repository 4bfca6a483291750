"""Where predictions are written: parts by workers, one ordered file by the coordinator."""
