"""Bekal: holds a training balance, sells the training, pays the providers."""
