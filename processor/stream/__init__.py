"""Kafka: the worker's ticket stage, the topics, and what moves records in and out of them. The only package that knows a broker."""
