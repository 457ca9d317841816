"""What can go wrong with an evaluation: its benchmarks, its predictions, what it needs.

EvaluationError
├── UnknownBenchmark   no benchmark of that name
├── UnknownMetric      no metric of that name
├── FilesMissing       the benchmark's files are not in the folder
├── LanguageMissing    the files are there, but not in that language
├── MalformedFile      a file, and the line in it, is not as its authors publish it
├── LibraryMissing     a library that only evaluations need is not installed
├── AnsweredTwice      two predictions for one item
├── NotAsked           a prediction for an item that is not among those asked
├── NotPaired          two systems have no item in common, or one item several times
└── MalformedRubric    a rubric file can't be read
"""


class EvaluationError(Exception):
    """Anything that keeps an evaluation from being made; the message says what to do next."""


class UnknownBenchmark(EvaluationError):
    """No benchmark of that name."""


class UnknownMetric(EvaluationError):
    """No metric of that name."""


class FilesMissing(EvaluationError):
    """The benchmark's files are not in the folder."""


class LanguageMissing(EvaluationError):
    """The files are there, but not in that language."""


class MalformedFile(EvaluationError):
    """A file, and the line in it, is not as its authors publish it."""


class LibraryMissing(EvaluationError):
    """A library that only evaluations need is not installed."""


class AnsweredTwice(EvaluationError):
    """Two predictions for one item."""


class NotAsked(EvaluationError):
    """A prediction for an item that is not among those asked."""


class NotPaired(EvaluationError):
    """Two systems have no item in common, or one item several times."""


class MalformedRubric(EvaluationError):
    """A rubric file can't be read."""
