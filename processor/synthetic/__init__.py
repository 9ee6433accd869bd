"""A support organisation that never was: events with everything that real ones bring, and the totals they must lead to.

The totals come from the generator's own books, kept while it invents each ticket and call. It imports no engine: an engine that is checked
only against itself would agree with its own mistakes.
"""
