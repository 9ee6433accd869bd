"""The report on a replayed log: `document` collects plain values, `rendering` shows them to people."""
