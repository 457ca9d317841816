"""The append-only record of every consultation: write it, read it back, prove it unaltered, show it.

Knows nothing of agents, models or guidelines: an event's body is whatever JSON the writer hands over.
"""
