"""Bekal: holds a training balance, sells the training, pays the providers."""

import gc

# A process of ours makes half a million objects while it is imported, and keeps them: collecting among them
# after every 700 would be a fifth of each start, and of no use afterwards either.
gc.set_threshold(50_000, 20, 20)
