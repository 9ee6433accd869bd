"""Bytes to events and back: the door of the processor, where everything that comes in is checked once and nothing raises."""
