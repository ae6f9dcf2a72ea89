"""Answers each line of standard input with one of standard output, all JSON; the other end is bench/measure/child.ts."""

import json
import sys


def serve(start):
    """start(options) -> (hello, answer); answer(request) -> reply. An ImportError is reported as what is missing."""
    replies = sys.stdout
    sys.stdout = sys.stderr  # whatever libraries print
    answer = None
    for line in sys.stdin:
        message = json.loads(line)
        if answer is None:
            try:
                reply, answer = start(message)
            except ImportError as error:
                reply = {"missing": error.name or str(error)}
        else:
            reply = answer(message)
        replies.write(json.dumps(reply) + "\n")
        replies.flush()
