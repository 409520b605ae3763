#!/usr/bin/env python3
"""QuantLib's American engines on the puts of benches/american.rs: ns an option, and how far from its
own high-precision scheme. Needs `pip install QuantLib`; the calls cost what Python's bindings cost,
about a microsecond each."""
import sys
import time

try:
    import QuantLib as ql
except ImportError:
    sys.exit("no QuantLib: pip install QuantLib")

SPOT, YEARS_DAYS, RATE, YIELD = 600.0, 91, 0.045, 0.012
STRIKES = [SPOT * (0.9 + 0.2 * i / 128) for i in range(128)]
DAY_COUNT = ql.Actual365Fixed()
TODAY = ql.Date(2, 1, 2026)
ql.Settings.instance().evaluationDate = TODAY


def flat(rate):
    return ql.YieldTermStructureHandle(ql.FlatForward(TODAY, rate, DAY_COUNT))


def puts():
    spot = ql.SimpleQuote(SPOT)
    exercise = ql.AmericanExercise(TODAY, TODAY + YEARS_DAYS)
    for strike in STRIKES:
        vol = 0.2 - 0.4 * (strike / SPOT - 1.0)
        term = ql.BlackConstantVol(TODAY, ql.NullCalendar(), vol, DAY_COUNT)
        process = ql.BlackScholesMertonProcess(
            ql.QuoteHandle(spot), flat(YIELD), flat(RATE), ql.BlackVolTermStructureHandle(term)
        )
        yield ql.VanillaOption(ql.PlainVanillaPayoff(ql.Option.Put, strike), exercise), process


def scheme(name):
    return lambda process: ql.QdFpAmericanEngine(process, getattr(ql.QdFpAmericanEngine, name)())


ENGINES = {
    "QdFp fast": scheme("fastScheme"),
    "QdFp accurate": scheme("accurateScheme"),
    "QD+": ql.QdPlusAmericanEngine,
    "Barone-Adesi-Whaley": ql.BaroneAdesiWhaleyApproximationEngine,
    "Bjerksund-Stensland": ql.BjerksundStenslandApproximationEngine,
    "Ju quadratic": ql.JuQuadraticApproximationEngine,
}


def price(options, engine, repeats):
    prices, best = [], float("inf")
    for option, process in options:
        option.setPricingEngine(engine(process))
    for _ in range(repeats):
        for option, _ in options:
            option.recalculate()
        start = time.perf_counter_ns()
        for option, _ in options:
            option.recalculate()
        best = min(best, (time.perf_counter_ns() - start) / len(options))
        prices = [option.NPV() for option, _ in options]
    return prices, best


def main():
    options = list(puts())
    exact, _ = price(options, scheme("highPrecisionScheme"), 1)
    print(f"QuantLib {ql.__version__}, {len(options)} puts")
    print(f"{'engine':>22} {'ns an option':>13} {'worst error / spot':>19}")
    for name, engine in ENGINES.items():
        prices, nanos = price(options, engine, 5)
        worst = max(abs(a - b) for a, b in zip(prices, exact)) / SPOT
        print(f"{name:>22} {nanos:13.0f} {worst:19.1e}")


if __name__ == "__main__":
    main()
