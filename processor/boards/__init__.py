"""The boards: what a team sees, as tables. Grafana's dashboards and the worker's own wall page are both made from them."""
