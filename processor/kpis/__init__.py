"""The KPI stage without Kafka: partials in, KPIs of all partitions out."""
