"""A folder with lines, moves, profits and tails in; whether numpy and scipy find the same, out.

Shares no code with what it checks: Black's formula by scipy's normal distribution, the shortfall as
the minimum over c of c + E max(loss - c, 0) / (1 - beta), and moves of numpy's own generator.
"""

import sys
from pathlib import Path

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.stats import norm

folder = Path(sys.argv[1])
load = lambda name: np.loadtxt(folder / name, delimiter=",", ndmin=2)
lines, moves, tails = load("lines.csv"), load("moves.csv"), load("tails.csv")
said = load("profits.csv")[:, 0]


def worth(line, spot, vol):
    cp, forward, strike, years, iv, discount, _, american = line
    forward = forward * (1 + spot)
    s = np.maximum(iv * (1 + vol), 1e-12) * np.sqrt(years)
    d1 = np.log(forward / strike) / s + s / 2
    value = discount * cp * (forward * norm.cdf(cp * d1) - strike * norm.cdf(cp * (d1 - s)))
    return np.maximum(value, cp * (forward - strike)) if american else value


def profits(moves):
    spot, vol = moves[:, 0], moves[:, 1]
    zero = np.zeros(1)
    return sum(line[6] * (worth(line, spot, vol) - worth(line, zero, zero)) for line in lines)


def tail(profits, beta):
    losses = np.sort(-profits)
    var = losses[int(np.ceil(len(losses) * beta - 1e-9)) - 1]
    ru = lambda c: c + np.maximum(losses - c, 0).mean() / (1 - beta)
    found = minimize_scalar(ru, bounds=(losses[0], losses[-1]), method="bounded",
                            options={"xatol": 1e-10})
    return var, min(found.fun, ru(var))


def check(what, ours, theirs, bound):
    print(f"{what}: {ours:.6f} and {theirs:.6f}")
    if not abs(ours - theirs) <= bound:
        sys.exit(f"{what}: {ours} and {theirs} differ by more than {bound}")


mine = profits(moves)
check("largest difference of a profit", np.abs(mine - said).max(), 0.0, 1e-6)
draws = np.random.default_rng(5).standard_normal((400_000, 2))
spot = 0.012 * draws[:, 0]
vol = 0.06 * (-0.75 * draws[:, 0] + np.sqrt(1 - 0.75**2) * draws[:, 1])
many = profits(np.column_stack([spot, vol]))
for beta, var, es, mc_var, mc_es in tails:
    my_var, my_es = tail(mine, beta)
    check(f"historical VaR {beta}", var, my_var, 1e-6)
    check(f"historical ES {beta}", es, my_es, 1e-6)
    my_var, my_es = tail(many, beta)
    # Two samples of 400,000: their quantiles differ by some standard errors at most.
    losses = np.sort(-many)
    n = len(losses)
    low, high = (losses[int(n * beta + k * np.sqrt(n * beta * (1 - beta)))] for k in (-5, 5))
    check(f"Monte Carlo VaR {beta}", mc_var, my_var, high - low)
    beyond = losses[losses >= my_var]
    error = 7 * np.hypot(beyond.std() / np.sqrt(len(beyond)), (high - low) / 10)
    check(f"Monte Carlo ES {beta}", mc_es, my_es, error)
