"""The benchmarks, one module each: whatever module of this package holds a BENCHMARK is one."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from evaluation.benchmark import Benchmark
from evaluation.errors import UnknownBenchmark


@cache
def benchmarks() -> dict[str, Benchmark]:
    """Every benchmark by its name, in the order of the names."""
    modules = (import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__))
    found: list[Benchmark] = [module.BENCHMARK for module in modules]
    return {one.name: one for one in sorted(found, key=lambda one: one.name)}


def benchmark(name: str) -> Benchmark:
    """The benchmark `name`. Raises UnknownBenchmark."""
    if found := benchmarks().get(name):
        return found
    raise UnknownBenchmark(f"There is no benchmark {name!r}; choose one of {', '.join(benchmarks())}.")
