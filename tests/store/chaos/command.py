"""`broadstreet` with batches as small as a test wants them: python -m tests.store.chaos.command BATCH ARGUMENTS...

Nothing else is changed, so that kills fall into many commits of a scan that is short.
"""

import sys

from broadstreet.pipeline import scanning
from broadstreet.surfaces.cli import main

if __name__ == "__main__":
    scanning.BATCH = int(sys.argv.pop(1))
    main()
