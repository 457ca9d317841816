"""chrF of open answers against all references of the question's family, by sacrebleu (Popović 2015).

An abstained or failed answer has 0. It says how alike two texts are, not whether the answer is right.
"""

from collections.abc import Sequence

from evaluation.errors import LibraryMissing
from evaluation.metric import Measured, Metric, measured, value
from evaluation.scoring import Answered


def measure(pairs: Sequence[Answered]) -> Measured:
    """Each answer's chrF, 0 to 100, against the reference that it is most like. Raises LibraryMissing."""
    try:
        from sacrebleu.metrics.chrf import CHRF
    except ImportError as error:
        raise LibraryMissing("sacrebleu is not installed; run pip install 'med-coreasoner[evaluation]'.") from error
    chrf = CHRF()
    scored = [pair for pair in pairs if pair.item.task == "open" and pair.item.references]
    return measured(
        value(item, chrf.sentence_score(told.text, list(item.references)).score if told.status == "answered" else 0.0)
        for item, told in scored
    )


METRICS = (Metric("chrf", "chrF", "higher", "points of 100", measure),)
