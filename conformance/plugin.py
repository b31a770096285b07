"""The pytest plugin: runs the collected laws on the implementation that ``--impl`` names and gathers their results;
without laws to run, it leaves pytest as it is and imports nothing heavy.

    pytest --pyargs conformance --impl impl_ref -k SEQ -x
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conformance.law.engine import LawResult, Settings
    from conformance.law.laws import Law, Subject
    from conformance.subject.targets import Target
    from dynamic_rnn_spec.case import Case, Outcome

OPTIONS: dict[str, dict[str, Any]] = {
    "impl": {"metavar": "NAME", "help": "the implementation under test: a name or module:attribute"},
    "worker": {"metavar": "COMMAND", "help": "the implementation under test, behind a worker process"},
    "profile": {"choices": ("smoke", "default", "thorough"), "default": "default", "help": "how many examples"},
    "clause": {"action": "append", "default": [], "metavar": "ID", "help": "only this clause or section"},
    "seed": {"type": int, "default": 0, "help": "the same seed gives the same examples"},
    "out": {"metavar": "FOLDER", "help": "write the report there, and the results of the laws as JSON lines"},
}
RESULTS = "results.jsonl"


@pytest.hookimpl(trylast=True)
def pytest_addoption(parser: pytest.Parser) -> None:
    """The options; one whose name another plugin has taken is ``--conformance-NAME`` only."""
    taken = _option_names(parser)
    group = parser.getgroup("conformance", "dynamic_rnn conformance")
    for name, options in OPTIONS.items():
        names = [f"--{name}", f"--conformance-{name}"]
        group.addoption(*[one for one in names if one not in taken], dest=f"conformance_{name}", **options)


def _option_names(parser: pytest.Parser) -> set[str]:
    """The options that stand so far; pytest has no public way to ask, and two of one name end its run."""
    groups = [*getattr(parser, "_groups", []), *filter(None, [getattr(parser, "_anonymous", None)])]
    return {name for group in groups for option in group.options for name in option.names()}


def pytest_configure(config: pytest.Config) -> None:
    """Where results are gathered."""
    config.pluginmanager.register(Gathering(config), "conformance-gathering")


@pytest.fixture(scope="session")
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    """The implementation under test."""
    opened = _target(request.config).open()
    yield opened
    opened.close()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Lets ``-k`` and ``--clause`` choose by clause; leaves out laws that would ask the implementation they judge."""
    laws = {item: law for item in items if (law := law_of(item)) is not None}
    if not laws:
        return
    from conformance.law import registry
    from dynamic_rnn_spec.page import clauses

    if not config.option.collectonly and not (config.option.conformance_impl or config.option.conformance_worker):
        raise pytest.UsageError("conformance: name the implementation under test, such as --impl impl_ref")
    words = list(config.option.conformance_clause)
    if len(laws) == len(items) and _names_clauses(config.option.keyword):
        words.append(config.option.keyword)
        config.option.keyword = ""
    try:
        chosen = registry.clause_ids(words)
    except clauses.ClauseError as error:
        raise pytest.UsageError(str(error)) from error
    if not config.option.collectonly:
        _target(config)  # one that cannot be loaded ends the session here, with one line
    left_out = [item for item, law in laws.items() if law.clause not in chosen or _asks_itself(law, config)]
    for item, law in laws.items():
        item.extra_keyword_matches.update((law.clause, law.clause.partition("-")[0]))
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Runs a law instead of its test function, to keep its result and to fail in plain words."""
    law = law_of(pyfuncitem)
    if law is None:
        return None
    from conformance.law import engine
    from conformance.report import explain
    from conformance.subject import subjects

    config = pyfuncitem.config

    def ask_oracle(case: Case) -> Outcome:
        if _ORACLE not in config.stash:
            config.stash[_ORACLE] = subjects.load(ORACLE)
        return config.stash[_ORACLE].run(case)

    implementation: Any = pyfuncitem.funcargs["subject"]
    result = engine.run_law(law, implementation, _settings(config), ask_oracle)
    pyfuncitem.stash[_RESULT] = result.to_json()
    found = result.counterexample
    if found is not None:
        again = f"pytest --pyargs {law.name} {_subject_words(config)} --seed {_settings(config).seed}"
        text = explain.failure_text(
            law.clause, law.name, found.violation, found.message, found.case, found.expected, found.got, again
        )
        pytest.fail(text, pytrace=False)
    if result.verdict == "unsupported":
        pytest.skip(f"{law.clause}: unsupported: {result.reason}")
    if result.verdict != "pass":
        pytest.fail(f"{law.clause}: {result.verdict}: {result.reason}", pytrace=False)
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Sends a law's result along with pytest's own report, from a process of pytest-xdist too."""
    report = yield
    if report.when == "call" and _RESULT in item.stash:
        report.conformance = item.stash[_RESULT]
    return report


ORACLE = "impl_ref"
_RESULT = pytest.StashKey[dict[str, Any]]()
_ORACLE = pytest.StashKey["Subject"]()
_TARGET = pytest.StashKey["Target"]()


class Gathering:
    """The results of a session's laws, and the report made of them."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.started = datetime.now(UTC)
        self.results: list[LawResult] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keeps the result that a report brings."""
        data = getattr(report, "conformance", None)
        if data is not None:
            from conformance.law.engine import LawResult

            self.results.append(LawResult.from_json(data))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """A line for each clause that does not pass and a count of those that do; the report, if asked for."""
        if not self.results or hasattr(self.config, "workerinput"):
            return
        from conformance.run.verdicts import worst

        terminalreporter.section("conformance")
        by_clause: dict[str, list[LawResult]] = {}
        for result in self.results:
            by_clause.setdefault(result.clause, []).append(result)
        said = {clause: worst(results) for clause, results in by_clause.items()}
        for clause, verdict in sorted(said.items()):
            if verdict != "pass":
                terminalreporter.write_line(f"{clause}: {verdict}")
        passed = sum(verdict == "pass" for verdict in said.values())
        terminalreporter.write_line(f"{passed} of {len(said)} clauses that were run pass")
        if self.config.option.conformance_out:
            terminalreporter.write_line(f"report: {self._write(Path(self.config.option.conformance_out))}")

    def _write(self, out: Path) -> Path:
        from conformance import report
        from conformance.run import assemble

        settings, target = _settings(self.config), _target(self.config)
        out.mkdir(parents=True, exist_ok=True)
        lines = sorted(json.dumps(result.to_json(), sort_keys=True) for result in self.results)
        (out / RESULTS).write_text("\n".join(lines) + "\n", encoding="ascii")
        whole = assemble.report(
            targets=[target],
            results={target.name: self.results},
            out=out,
            started=self.started,
            seconds=(datetime.now(UTC) - self.started).total_seconds(),
            command=f"pytest --pyargs conformance {_subject_words(self.config)}",
            profile=settings.profile,
            seed=settings.seed,
            jobs=getattr(self.config.option, "numprocesses", None) or 1,
        )
        return report.write(whole, out).parent / "index.html"


def law_of(item: pytest.Item) -> Law | None:
    """The law of a test that `conformance.law.laws.law` made, None for any other."""
    return getattr(getattr(item, "obj", None), "law", None) if hasattr(getattr(item, "obj", None), "place_as") else None


def _asks_itself(law: Law, config: pytest.Config) -> bool:
    return law.oracle and config.option.conformance_impl == ORACLE


def _names_clauses(keyword: str) -> bool:
    from dynamic_rnn_spec.page import clauses

    return keyword in clauses.load() or keyword in clauses.SECTIONS.values()


def _settings(config: pytest.Config) -> Settings:
    from conformance.law.engine import Settings

    return Settings(config.option.conformance_profile, config.option.conformance_seed)


def _target(config: pytest.Config) -> Target:
    """The implementation under test, looked at once a session."""
    if _TARGET not in config.stash:
        config.stash[_TARGET] = _inspect(config)
    return config.stash[_TARGET]


def _inspect(config: pytest.Config) -> Target:
    from conformance.subject import subjects, targets
    from conformance.subject.worker_client import HarnessError

    option = config.option
    if (option.conformance_impl is None) == (option.conformance_worker is None):
        raise pytest.UsageError("conformance: name one implementation with --impl, or one worker with --worker")
    subjects.look_in_current_folder()
    names = [option.conformance_impl] if option.conformance_impl else []
    workers = [option.conformance_worker] if option.conformance_worker else []
    try:
        return targets.inspect(names, workers)[0]
    except HarnessError as error:
        raise pytest.UsageError(f"conformance: {error}") from error


def _subject_words(config: pytest.Config) -> str:
    option = config.option
    words = ["--impl", option.conformance_impl] if option.conformance_impl else ["--worker", option.conformance_worker]
    return shlex.join(words)
