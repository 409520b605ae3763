"""A folder of an export in; the sums that the recorded day's description gives out."""
import decimal
import sys

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq


def table(name):
    read = pq.read_table(f"{sys.argv[1]}/{name}.parquet")
    read.validate(full=True)
    return read


instruments, quotes, trades, interest = map(table, ["instruments", "quotes", "trades", "interest"])
print("options", instruments.num_rows - instruments["cp"].null_count)
of_options = quotes.filter(pc.is_valid(quotes["cp"]))
sizes = pc.sum(of_options["bid_size"]).as_py() + pc.sum(of_options["ask_size"]).as_py()
print("option quotes", of_options.num_rows, "of size sum", sizes)
print("underlying quotes", quotes.num_rows - of_options.num_rows)
print("trades", trades.num_rows, "of volume", pc.sum(trades["size"]).as_py())
print("open interest", pc.sum(interest["contracts"]).as_py())

# Prices are exact: their sum is a decimal of whole cents, and times are instants in UTC.
total = pc.sum(of_options["bid"]).as_py()
assert isinstance(total, decimal.Decimal) and total == total.quantize(decimal.Decimal("0.01"))
assert quotes.schema.field("ts_event").type == pa.timestamp("ns", "UTC")
assert quotes.schema.field("bid").metadata[b"unit"] == b"currency"
assert pq.read_metadata(f"{sys.argv[1]}/quotes.parquet").metadata[b"zomma.table"] == b"quotes"

# An order's legs, a refusal's breaches: lists of structs.
orders, refusals, chain = map(table, ["orders", "refusals", "chain"])
assert all(legs and legs[0]["root"] == "GOOG" for legs in orders["legs"].to_pylist())
assert all(breaches for breaches in refusals["breaches"].to_pylist())
valued = chain.filter(pc.equal(chain["status"], "ok"))
assert valued.num_rows > 0 and valued["iv"].null_count == 0
assert pc.min(valued["iv"]).as_py() > 0
for other in ["cancels", "halts", "decisions", "fills", "reports", "other", "settlements"]:
    table(other)

# The causes of a package's profit sum to it, to the last unit, whenever they are told.
profits = table("profits").to_pylist()
assert profits
packages, checked = {}, 0
for i, row in enumerate(profits):
    causes = packages.setdefault(row["package"], {})
    causes[row["cause"]] = row["amount"]
    last = i + 1 == len(profits) or any(profits[i + 1][k] != row[k] for k in ["seq", "package"])
    if last:
        parts = sum(amount for cause, amount in causes.items() if cause != "profit")
        assert parts == causes.get("profit", 0), (row, causes)
        checked += 1
assert checked > 0
