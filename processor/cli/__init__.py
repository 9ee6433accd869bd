"""The command line: one module for each command, thin over the packages that do the work."""
