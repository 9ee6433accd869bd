"""Recorded logs of other systems, turned into canonical events by a mapping file. Imports core and codec, never Kafka."""
