"""What a laptop, a CI machine and a demonstration need: engines without installation, and demo data.

Nothing outside `marketplace.cli` imports this package, and it refuses to run in production.
"""
