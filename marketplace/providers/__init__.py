"""Training providers, their staff and bank accounts."""
