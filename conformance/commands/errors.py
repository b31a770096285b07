"""The errors whose text says all that a person needs: a command that ends with one shows it as a line."""

import functools
from collections.abc import Callable
from typing import Any

from conformance.machine.interpreters import NotAvailable
from conformance.mutants import MutantError
from conformance.report import ReportError
from conformance.run.known import StoredError
from conformance.subject.worker_client import HarnessError
from dynamic_rnn_spec.page.clauses import ClauseError

EXPECTED = (ClauseError, HarnessError, MutantError, NotAvailable, ReportError, StoredError)


def handed_over(work: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Gives such an error as the work's value, so that it passes between processes as it is."""

    @functools.wraps(work)
    def handing(task: Any) -> Any:
        try:
            return work(task)
        except EXPECTED as error:
            return error

    return handing
