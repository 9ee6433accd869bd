"""What the alerts would have said of a recorded log: its series minute by minute, evaluated by a real Prometheus."""
