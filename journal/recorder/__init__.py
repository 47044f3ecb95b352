"""The job's side: `start_run`, `Run`, `Source`, `File`."""
