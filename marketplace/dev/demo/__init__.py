"""The demonstration: a catalogue, providers and people, all made up for this project."""
