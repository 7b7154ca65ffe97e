"""How much of what repeats itself is done: all on a build machine, a part where somebody waits for it."""

import os

THOROUGH = bool(os.environ.get("CI") or os.environ.get("THOROUGH"))
"""CI is what build machines set; `make e2e` and `THOROUGH=1 make test` ask for the same at a desk."""
