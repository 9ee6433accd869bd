"""What a log means, worked out naively, from the definitions and not from the engine.

Sort the events of each entity, note what was the case after each, and then look at every question on its own: no incremental state, no
timers, no retractions, no memory that ends. What one entity gives to another is found by reading all of them again and again, each time
with what was given the time before, until nothing changes any more.

The answers are facts without their numbers: what was concluded, of which instant, for whom it counts, and how long it took. It knows no
early end of memory, so worlds for it have a long `reopen_horizon`.
"""
