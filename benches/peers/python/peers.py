#!/usr/bin/env python3
"""The Python peers on the chain and the reference: times and errors, as lines for zomma-peers.

    python peers.py [--only NAME,…] [--out FILE]

Vectorised libraries are given whole columns; the others are called in a loop, as their users do, so
that the call is part of what they cost. QuantLib also values the American reference."""

import argparse
import csv
import gzip
import importlib.metadata
import math
import os
import sys
import time
from pathlib import Path

import numpy as np

GREEKS = (
    "delta gamma theta vega rho phi vanna charm vomma veta speed zomma color ultima "
    "dual_delta dual_gamma"
).split()
SECONDS_MAX = 1.0


def folder():
    above = Path(__file__).resolve().parents
    beside = (parent / "../shared/reference" for parent in above)
    found = os.environ.get("ZOMMA_REFERENCE") or next((p for p in beside if p.exists()), None)
    if found is None:
        sys.exit("peers.py: no reference/chain_1024.csv; set ZOMMA_REFERENCE")
    return Path(found)


def read(name):
    """Columns by name: numbers where they are numbers."""
    opened = gzip.open if name.endswith(".gz") else open
    with opened(folder() / name, "rt", newline="") as file:
        rows = list(csv.reader(file))
    columns = {}
    for name, *cells in zip(*rows):
        try:
            columns[name] = np.array([float(cell) for cell in cells])
        except ValueError:
            columns[name] = np.array(cells)
    return columns


def pick(columns, mask):
    return {name: column[mask] for name, column in columns.items()}


def tradable():
    c = read("reference.csv.gz")
    floor = c["cp"] * (c["S"] * np.exp(-c["q"] * c["T"]) - c["K"] * np.exp(-c["r"] * c["T"]))
    value = c["price"] - np.maximum(floor, 0.0)
    real = (c["model"] == "bsm") & np.isin(c["stratum"], ["zerodte", "chain"])
    return pick(c, real & (c["T"] >= 60 / (365 * 86400)) & (value > 1e-8 * c["S"]))


def quoted(chain):
    """The 512 out-of-the-money options whose price tells the volatility."""
    forward = chain["S"] * np.exp((chain["r"] - chain["q"]) * chain["T"])
    out = (chain["cp"] > 0) == (chain["K"] > forward)
    return pick(chain, out & (chain["price"] > 1e-10 * chain["S"]))


class Lines:
    """Where the lines go."""

    def __init__(self, out):
        self.out = out

    def say(self, *cells):
        print(*cells, sep=",", file=self.out, flush=True)

    def speed(self, peer, job, what, options, run):
        """Samples of a pass over so many options, ns an option."""
        run()
        samples, began = [], time.perf_counter()
        while len(samples) < 3 or (len(samples) < 50 and time.perf_counter() - began < SECONDS_MAX):
            start = time.perf_counter_ns()
            run()
            samples.append((time.perf_counter_ns() - start) / options)
        self.say("speed", peer, job, what, " ".join(f"{sample:.3f}" for sample in samples))

    def error(self, peer, job, over, errors, worst="", answered=("", "")):
        finite = np.sort(errors[np.isfinite(errors)])
        at = lambda share: finite[int((len(finite) - 1) * share)] if len(finite) else math.nan
        quantiles = [f"{at(share):.3e}" for share in (0.5, 0.99, 1.0)]
        self.say("error", peer, job, over, *quantiles, worst, len(errors) - len(finite), *answered)

    def values(self, peer, rows, found):
        """Errors of the price and of the worst Greek."""
        for over, columns in rows.items():
            with np.errstate(all="ignore"):
                got = found(columns)
                errors = {name: relative(got[name], columns[name]) for name in got}
            self.error(peer, "price", over, errors.pop("price"))
            if errors:
                worst = max(errors, key=lambda name: np.nanpercentile(errors[name], 99))
                self.error(peer, "greeks", over, errors[worst], worst)

    def volatilities(self, peer, found):
        columns = read("implied_vol.csv.gz")
        told = columns["status"] == "ok"
        refused = pick(columns, ~told)

        def answers(row):
            try:
                return np.isfinite(found(pick(refused, [row]))[0])
            except Exception:
                return False

        with np.errstate(all="ignore"):
            got = np.asarray(found(pick(columns, told)), float)
            answered = sum(answers(row) for row in range(len(refused["S"])))
        errors = relative(got, columns["sigma"][told])
        refusals = (answered, len(refused["S"]))
        self.error(peer, "volatility", "implied_vol", errors, answered=refusals)


def relative(found, wanted):
    with np.errstate(all="ignore"):
        return np.where(found == wanted, 0.0, np.abs(found / wanted - 1.0))


def terms(columns):
    return [columns[name] for name in ("cp", "S", "K", "T", "r", "q")]


def each(columns, *names):
    """The rows of these columns as Python numbers."""
    return list(zip(*(columns[name].tolist() for name in names)))


def version(name):
    return importlib.metadata.version(name)


def numpy_scipy(lines, chain, rows):
    from scipy.special import ndtr

    peer = f"numpy {np.__version__} + scipy {version('scipy')}"

    def price(c):
        cp, s, k, t, r, q = terms(c)
        deviation = c["sigma"] * np.sqrt(t)
        d1 = (np.log(s / k) + (r - q) * t) / deviation + 0.5 * deviation
        a, b = s * np.exp(-q * t), k * np.exp(-r * t)
        return cp * (a * ndtr(cp * d1) - b * ndtr(cp * (d1 - deviation)))

    def greeks(c):
        cp, s, k, t, r, q = terms(c)
        vol, root = c["sigma"], np.sqrt(t)
        deviation = vol * root
        d1 = (np.log(s / k) + (r - q) * t) / deviation + 0.5 * deviation
        d2 = d1 - deviation
        growth, discount = np.exp(-q * t), np.exp(-r * t)
        n1, n2 = cp * growth * ndtr(cp * d1), cp * discount * ndtr(cp * d2)
        density = growth * np.exp(-0.5 * d1 * d1) / math.sqrt(2 * math.pi)
        gamma, vega = density / (s * deviation), s * density * root
        drift = (r - q) / deviation - d2 / (2 * t)
        return {
            "price": s * n1 - k * n2,
            "delta": n1,
            "gamma": gamma,
            "theta": q * s * n1 - r * k * n2 - s * density * vol / (2 * root),
            "vega": vega,
            "vanna": -density * d2 / vol,
            "charm": q * n1 - density * drift,
            "vomma": vega * d1 * d2 / vol,
            "speed": -gamma / s * (d1 / deviation + 1),
            "zomma": gamma * (d1 * d2 - 1) / vol,
        }

    lines.speed(peer, "price", "columns", len(chain["S"]), lambda: price(chain))
    lines.speed(peer, "greeks", "9 Greeks; columns", len(chain["S"]), lambda: greeks(chain))
    lines.values(peer, rows, greeks)


def numba_loop(lines, chain, rows):
    import numba

    peer = f"numba {numba.__version__}"

    @numba.njit(fastmath=False)
    def price(cp, s, k, t, r, q, vol, out):
        for i in range(len(s)):
            deviation = vol[i] * math.sqrt(t[i])
            d1 = (math.log(s[i] / k[i]) + (r[i] - q[i]) * t[i]) / deviation + 0.5 * deviation
            n1 = 0.5 * math.erfc(-cp[i] * d1 * math.sqrt(0.5))
            n2 = 0.5 * math.erfc(-cp[i] * (d1 - deviation) * math.sqrt(0.5))
            a, b = s[i] * math.exp(-q[i] * t[i]), k[i] * math.exp(-r[i] * t[i])
            out[0, i] = cp[i] * (a * n1 - b * n2)

    @numba.njit(fastmath=False)
    def greeks(cp, s, k, t, r, q, vol, out):
        for i in range(len(s)):
            root = math.sqrt(t[i])
            deviation = vol[i] * root
            d1 = (math.log(s[i] / k[i]) + (r[i] - q[i]) * t[i]) / deviation + 0.5 * deviation
            d2 = d1 - deviation
            growth, discount = math.exp(-q[i] * t[i]), math.exp(-r[i] * t[i])
            n1 = cp[i] * growth * 0.5 * math.erfc(-cp[i] * d1 * math.sqrt(0.5))
            n2 = cp[i] * discount * 0.5 * math.erfc(-cp[i] * d2 * math.sqrt(0.5))
            density = growth * math.exp(-0.5 * d1 * d1) / math.sqrt(2 * math.pi)
            gamma, vega = density / (s[i] * deviation), s[i] * density * root
            drift = (r[i] - q[i]) / deviation - d2 / (2 * t[i])
            out[0, i] = s[i] * n1 - k[i] * n2
            out[1, i] = n1
            out[2, i] = gamma
            decay = s[i] * density * vol[i] / (2 * root)
            out[3, i] = q[i] * s[i] * n1 - r[i] * k[i] * n2 - decay
            out[4, i] = vega
            out[5, i] = -density * d2 / vol[i]
            out[6, i] = q[i] * n1 - density * drift
            out[7, i] = vega * d1 * d2 / vol[i]
            out[8, i] = -gamma / s[i] * (d1 / deviation + 1)
            out[9, i] = gamma * (d1 * d2 - 1) / vol[i]

    names = "price delta gamma theta vega vanna charm vomma speed zomma".split()

    def values(c):
        out = np.empty((len(names), len(c["S"])))
        greeks(*terms(c), c["sigma"], out)
        return dict(zip(names, out))

    out = np.empty((len(names), len(chain["S"])))
    columns = (*terms(chain), chain["sigma"], out)
    lines.speed(peer, "price", "loop", len(chain["S"]), lambda: price(*columns))
    lines.speed(peer, "greeks", "9 Greeks; loop", len(chain["S"]), lambda: greeks(*columns))
    lines.values(peer, rows, values)


def py_vollib(lines, chain, rows):
    from py_vollib.black_scholes_merton import black_scholes_merton as price
    from py_vollib.black_scholes_merton.greeks import analytical
    from py_vollib.black_scholes_merton.implied_volatility import implied_volatility

    peer = f"py_vollib {version('py_vollib')}"
    # Theta per day, vega and rho per point.
    units = {"delta": 1.0, "gamma": 1.0, "theta": 365.0, "vega": 100.0, "rho": 100.0}
    greeks = {name: getattr(analytical, name) for name in units}

    def options(c):
        rows = each(c, "cp", "S", "K", "T", "r", "sigma", "q")
        return [("c" if cp > 0 else "p", *rest) for cp, *rest in rows]

    def values(c):
        found = {"price": np.array([price(*option) for option in options(c)])}
        for name, unit in units.items():
            found[name] = unit * np.array([greeks[name](*option) for option in options(c)])
        return found

    def volatilities(c):
        found = []
        for cp, s, k, t, r, q, value in each(c, "cp", "S", "K", "T", "r", "q", "price"):
            try:
                found.append(implied_volatility(value, s, k, t, r, q, "c" if cp > 0 else "p"))
            except Exception:
                found.append(math.nan)
        return found

    count, ready = len(chain["S"]), options(chain)
    lines.speed(peer, "price", "call by call", count, lambda: [price(*o) for o in ready])
    every = (price, *greeks.values())
    run = lambda: [f(*option) for option in ready for f in every]
    lines.speed(peer, "greeks", "5 Greeks; call by call", count, run)
    some = quoted(chain)
    lines.speed(peer, "volatility", "call by call", len(some["S"]), lambda: volatilities(some))
    lines.values(peer, rows, values)
    lines.volatilities(peer, volatilities)


def py_vollib_vectorized(lines, chain, rows):
    import py_vollib_vectorized as theirs

    peer = f"py_vollib_vectorized {version('py_vollib_vectorized')}"

    def arguments(c):
        flags = np.where(c["cp"] > 0, "c", "p")
        return flags, c["S"], c["K"], c["T"], c["r"]

    model = {"model": "black_scholes_merton", "return_as": "numpy"}

    def price(c):
        return theirs.vectorized_black_scholes_merton(
            *arguments(c), c["sigma"], c["q"], return_as="numpy"
        ).ravel()

    def greeks(c):
        found = theirs.get_all_greeks(
            *arguments(c), c["sigma"], c["q"], model="black_scholes_merton", return_as="dict"
        )
        return found

    def values(c):
        found = {name: np.asarray(column).ravel() for name, column in greeks(c).items()}
        units = {"delta": 1.0, "gamma": 1.0, "theta": 365.0, "vega": 100.0, "rho": 100.0}
        return {"price": price(c)} | {name: unit * found[name] for name, unit in units.items()}

    def volatilities(c):
        flags, s, k, t, r = arguments(c)
        return theirs.vectorized_implied_volatility(
            c["price"], s, k, t, r, flags, q=c["q"], on_error="ignore", **model
        ).ravel()

    count, some = len(chain["S"]), quoted(chain)
    lines.speed(peer, "price", "columns", count, lambda: price(chain))
    lines.speed(
        peer, "greeks", "5 Greeks; columns", count, lambda: (price(chain), greeks(chain))
    )
    lines.speed(peer, "volatility", "columns", len(some["S"]), lambda: volatilities(some))
    lines.values(peer, rows, values)
    lines.volatilities(peer, volatilities)


def opengreeks(lines, chain, rows):
    import opengreeks.black_scholes_merton as theirs

    peer = f"opengreeks {version('opengreeks')}"
    lines.say("note", peer, "in Python; its Rust core is no crate of its own")
    # Theta per day, vega and rho per point.
    units = {"delta": 1.0, "gamma": 1.0, "theta": 365.0, "vega": 100.0, "rho": 100.0}
    price = theirs.black_scholes_merton

    def values(c):
        options = each(c, "cp", "S", "K", "T", "r", "sigma", "q")
        options = [("c" if cp > 0 else "p", *rest) for cp, *rest in options]
        found = {name: getattr(theirs, name) for name in units}
        column = lambda f: np.array([f(*option) for option in options])
        found = {name: units[name] * column(f) for name, f in found.items()}
        return {"price": np.array([price(*o) for o in options])} | found

    def volatilities(c):
        found = []
        for cp, s, k, t, r, q, value in each(c, "cp", "S", "K", "T", "r", "q", "price"):
            try:
                volatility = theirs.implied_volatility(value, s, k, t, r, q, "c" if cp > 0 else "p")
                found.append(volatility)
            except Exception:
                found.append(math.nan)
        return found

    # Whole columns of one side, at one rate and one yield.
    sides = [("c", pick(chain, chain["cp"] > 0)), ("p", pick(chain, chain["cp"] < 0))]
    r, q = float(chain["r"][0]), float(chain["q"][0])
    columns = [(flag, c["S"], c["K"], c["T"], r, c["sigma"], q) for flag, c in sides]
    every = [theirs.black_scholes_merton_array]
    every += [getattr(theirs, f"{name}_array") for name in units]
    count, some = len(chain["S"]), quoted(chain)
    lines.speed(peer, "price", "columns", count, lambda: [every[0](*side) for side in columns])
    lines.speed(
        peer, "greeks", "5 Greeks; columns", count, lambda: [f(*s) for s in columns for f in every]
    )
    lines.speed(peer, "volatility", "call by call", len(some["S"]), lambda: volatilities(some))
    lines.values(peer, rows, values)
    lines.volatilities(peer, volatilities)


def quantlib(lines, chain, rows):
    import QuantLib as ql

    peer = f"QuantLib-Python {ql.__version__}"
    side = lambda cp: ql.Option.Call if cp > 0 else ql.Option.Put

    def ready(c):
        found = []
        for cp, s, k, t, r, q, vol in each(c, "cp", "S", "K", "T", "r", "q", "sigma"):
            forward, discount = s * math.exp((r - q) * t), math.exp(-r * t)
            found.append((side(cp), k, forward, vol * math.sqrt(t), discount, s, t))
        return found

    def price(option):
        return ql.blackFormula(*option[:5])

    def greeks(option):
        cp, k, forward, deviation, discount, s, t = option
        black = ql.BlackCalculator(ql.PlainVanillaPayoff(cp, k), forward, deviation, discount)
        return (
            black.value(), black.delta(s), black.gamma(s), black.theta(s, t), black.vega(t),
            black.rho(t), black.dividendRho(t),
        )

    names = "price delta gamma theta vega rho phi".split()

    def values(c):
        return dict(zip(names, np.array([greeks(option) for option in ready(c)]).T))

    def volatilities(c):
        found = []
        for cp, s, k, t, r, q, value in each(c, "cp", "S", "K", "T", "r", "q", "price"):
            try:
                forward, discount = s * math.exp((r - q) * t), math.exp(-r * t)
                deviation = ql.blackFormulaImpliedStdDevLiRS(
                    side(cp), k, forward, value, discount, 0.0, ql.nullDouble(), 1.0, 1e-14
                )
                found.append(deviation / math.sqrt(t))
            except Exception:
                found.append(math.nan)
        return found

    count, some, options = len(chain["S"]), quoted(chain), ready(chain)
    lines.speed(peer, "price", "call by call", count, lambda: [price(o) for o in options])
    lines.speed(
        peer, "greeks", "6 Greeks; call by call", count, lambda: [greeks(o) for o in options]
    )
    run = lambda: volatilities(some)
    lines.speed(peer, "volatility", "LiRS; call by call", len(some["S"]), run)
    lines.values(peer, rows, values)
    lines.volatilities(peer, volatilities)
    american(lines, ql, peer)


def american(lines, ql, peer):
    columns = read("american.csv.gz")
    day_count, today = ql.Actual365Fixed(), ql.Date(2, 1, 2026)
    ql.Settings.instance().evaluationDate = today
    flat = lambda rate: ql.YieldTermStructureHandle(ql.FlatForward(today, rate, day_count))
    options = []
    # QuantLib counts whole days. A year at rates and variance times T is the same option.
    exercise = ql.AmericanExercise(today, today + 365)
    for cp, s, k, t, r, q, vol in each(columns, "cp", "S", "K", "T", "r", "q", "sigma"):
        term = ql.BlackConstantVol(today, ql.NullCalendar(), vol * math.sqrt(t), day_count)
        term = ql.BlackVolTermStructureHandle(term)
        spot = ql.QuoteHandle(ql.SimpleQuote(s))
        process = ql.BlackScholesMertonProcess(spot, flat(q * t), flat(r * t), term)
        payoff = ql.PlainVanillaPayoff(ql.Option.Call if cp > 0 else ql.Option.Put, k)
        options.append((ql.VanillaOption(payoff, exercise), process))
    scheme = lambda name: lambda process: ql.QdFpAmericanEngine(
        process, getattr(ql.QdFpAmericanEngine, name)()
    )
    engines = {
        "QdFp fast": scheme("fastScheme"),
        "QdFp accurate": scheme("accurateScheme"),
        "QD+": ql.QdPlusAmericanEngine,
        "Barone-Adesi-Whaley": ql.BaroneAdesiWhaleyApproximationEngine,
        "Bjerksund-Stensland": ql.BjerksundStenslandApproximationEngine,
        "Ju quadratic": ql.JuQuadraticApproximationEngine,
    }
    for name, engine in engines.items():
        for option, process in options:
            option.setPricingEngine(engine(process))

        def run():
            for option, _ in options:
                option.recalculate()

        lines.speed(peer, "american", f"{name}; price", len(options), run)
        prices = np.array([option.NPV() for option, _ in options])
        errors = np.abs(prices - columns["price"]) / columns["S"]
        lines.error(f"{peer} {name}", "american", "american", errors)


PEERS = {
    "numpy": numpy_scipy,
    "numba": numba_loop,
    "py_vollib": py_vollib,
    "py_vollib_vectorized": py_vollib_vectorized,
    "opengreeks": opengreeks,
    "quantlib": quantlib,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default=",".join(PEERS), help="names, with commas")
    parser.add_argument("--out", help="file; standard output where nothing is said")
    arguments = parser.parse_args()
    chain = read("chain_1024.csv")
    rows = {"chain_1024": chain, "tradable": tradable()}
    with open(arguments.out, "w") if arguments.out else sys.stdout as out:
        for name in arguments.only.split(","):
            try:
                PEERS[name](Lines(out), chain, rows)
            except ImportError as error:
                Lines(out).say("note", name, f"absent: {str(error).replace(',', ';')}")
                print(f"peers.py: {name}: {error}", file=sys.stderr)


if __name__ == "__main__":
    main()
