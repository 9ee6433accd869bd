"""What is done with stored state while no worker runs: move it, rebuild it from the log, erase a person from it."""
