"""The live page of a worker: the boards as tiles that anybody can read from afar, without Grafana or Prometheus."""
