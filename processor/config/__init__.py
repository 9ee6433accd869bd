"""The configuration: one YAML file, validated as a whole, every fault named with its path.

`load(path)` gives a frozen `Config` or raises `ConfigError`. Nothing here starts, connects or logs anything. `processor.compile` turns a
`Config` into the tables and integers that the engine gets.
"""

from processor.config.faults import ConfigError, Fault
from processor.config.reading import BUILT_IN, load, loads
from processor.config.root import Config, describe_start, starts_at
from processor.config.values import Duration

__all__ = ["BUILT_IN", "Config", "ConfigError", "Duration", "Fault", "describe_start", "load", "loads", "starts_at"]
