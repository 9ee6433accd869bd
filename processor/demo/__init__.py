"""What `deploy/demo` runs: the main job, end to end, in front of your eyes."""
