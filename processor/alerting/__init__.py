"""Who is told what and when: alerts and the series that they read, as tables, and the rule files for Prometheus."""

from processor.alerting.alert import Alert
from processor.alerting.rules import alerts, rule_files

__all__ = ["Alert", "alerts", "rule_files"]
