"""Answers cases over a pipe, one line of JSON for each.

Protocol (version 1): on start the worker writes ``{"hello": {"protocol": 1, "name": ..., "versions": {...}, "device":
...}}``. Each line it reads is ``{"id": N, "case": CASE}``, each it writes ``{"id": N, "outcome": OUTCOME}``, in order,
and it ends with its input. What the implementation prints goes to stderr, never into the pipe. A case that can't be
read is answered ``{"id": N, "error": TEXT}``: a fault of the harness, not of the implementation. A worker that dies
during a case has crashed on it; one that is killed for taking too long has timed out. If the greeting says
``"schedules": true``, a line may also have ``"schedule": M``: another number asks for another order of the same work.

``python -m dynamic_rnn_spec.worker impl_ref`` serves ``impl_ref.adapter:implementation``; ``module:attribute`` names
any other.
"""

import importlib
import json
import os
import sys
from typing import Any, List

from .case import Case
from .values import FormatError, dumps

PROTOCOL = 1


def serve(implementation: Any) -> int:
    """Answer cases from stdin on stdout until the input ends; returns the exit status."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    hello = dict(implementation.describe(), protocol=PROTOCOL)
    if getattr(implementation, "schedules", False):
        hello["schedules"] = True
    _write(answers, {"hello": hello})
    for line in sys.stdin:
        request = json.loads(line)
        try:
            case = Case.from_json(request["case"])
        except FormatError as error:
            _write(answers, {"id": request["id"], "error": str(error)})
            continue
        asked = {"schedule": request["schedule"]} if "schedule" in request else {}
        _write(answers, {"id": request["id"], "outcome": implementation.run(case, **asked).to_json()})
    return 0


def _write(stream: Any, data: Any) -> None:
    stream.write(dumps(data) + "\n")
    stream.flush()


def load(name: str) -> Any:
    """The implementation that ``name`` stands for: ``module:attribute``, or a package with ``adapter:implementation``.

    An attribute that is a function or a class is called.

    Raises:
        ImportError, AttributeError: there is none.
    """
    module, _, attribute = name.partition(":")
    if not attribute:
        module, attribute = name + ".adapter", "implementation"
    found = getattr(importlib.import_module(module), attribute)
    if hasattr(found, "run") and not isinstance(found, type):
        return found
    if not callable(found):
        raise AttributeError("{} is a {}, without run(case)".format(name, type(found).__name__))
    return found()


def main(arguments: List[str]) -> int:
    """Serve the implementation named by the one argument."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m dynamic_rnn_spec.worker PACKAGE | MODULE:ATTRIBUTE\n")
        return 2
    return serve(load(arguments[0]))

