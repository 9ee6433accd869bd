"""The engine: pure values in, pure values out. No I/O, no clock, no logging; imports only the standard library."""
