"""Sends numbered lines with Debian's python3-fluent-logger. Run by python-client.ts."""

import json
import sys

from fluent import sender

options = json.loads(sys.argv[1])
logger = sender.FluentSender(
    options["tag"],
    host=options["host"],
    port=options["port"],
    nanosecond_precision=options["sub_second"],
)
for n in range(1, options["lines"] + 1):
    if not logger.emit(None, {"log": "%s post %d" % (options["name"], n)}):
        sys.exit(str(logger.last_error))
logger.close()
