"""The metrics: whatever module of this package holds METRICS adds them."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from evaluation.errors import UnknownMetric
from evaluation.metric import Metric


@cache
def metrics() -> dict[str, Metric]:
    """Every metric by its name, in the order of the names."""
    modules = (import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__))
    found: list[Metric] = [metric for module in modules for metric in module.METRICS]
    return {one.name: one for one in sorted(found, key=lambda one: one.name)}


def metric(name: str) -> Metric:
    """The metric `name`. Raises UnknownMetric."""
    if found := metrics().get(name):
        return found
    raise UnknownMetric(f"There is no metric {name!r}; choose one of {', '.join(metrics())}.")
