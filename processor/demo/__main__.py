"""`python -m processor.demo`: see `deploy/demo --help`."""

import sys

from processor.demo.run import main

sys.exit(main())
