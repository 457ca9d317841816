"""What can go wrong with an evaluation: its benchmarks, its predictions, what it needs.

EvaluationError
├── UnknownBenchmark   no benchmark of that name
├── UnknownSystem      no system of that name
├── NothingToAsk       what was chosen has no items
├── RunMissing         the folder holds no run
├── RunDiffers         the folder holds a run of something else
├── RunBusy            another process is writing this run
├── RunDamaged         a line in the middle of the run's files cannot be read
├── UnknownMetric      no metric of that name
├── FilesMissing       the benchmark's files are not in the folder
├── LanguageMissing    the files are there, but not in that language
├── MalformedFile      a file, and the line in it, is not as its authors publish it
├── LibraryMissing     a library that only evaluations need is not installed
├── AnsweredTwice      two predictions for one item
├── NotAsked           a prediction for an item that is not among those asked
├── NotPaired          two systems have no item in common, or one item several times
├── MalformedRubric    a rubric file can't be read
├── NothingToLearn     no line is there that a student can be trained on
├── NothingToReview    no item was answered by both systems that are to be compared
├── ReviewMissing      the folder holds no review
├── ReviewBusy         another process is writing this review
├── UnknownRater       nobody was given this code
└── RatingRefused      a rating is incomplete, or of something that this rater was not asked
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


class UnknownSystem(EvaluationError):
    """No system of that name."""


class NothingToAsk(EvaluationError):
    """What was chosen has no items."""


class RunMissing(EvaluationError):
    """The folder holds no run."""


class RunDiffers(EvaluationError):
    """The folder holds a run of something else."""


class RunBusy(EvaluationError):
    """Another process is writing this run."""


class RunDamaged(EvaluationError):
    """A line in the middle of the run's files cannot be read."""


class NothingToLearn(EvaluationError):
    """No line is there that a student can be trained on."""


class NothingToReview(EvaluationError):
    """No item was answered by both systems that are to be compared."""


class ReviewMissing(EvaluationError):
    """The folder holds no review."""


class ReviewBusy(EvaluationError):
    """Another process is writing this review."""


class UnknownRater(EvaluationError):
    """Nobody was given this code."""


class RatingRefused(EvaluationError):
    """A rating is incomplete, or of something that this rater was not asked."""
