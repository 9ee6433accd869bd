"""Alerts on their way to a topic: what Alertmanager sends, with what the workers know of it, into `support.alerts.v1`."""
