"""The numbers on their way out: Prometheus text, snapshots, HTTP. Reads views of engines, changes nothing."""
