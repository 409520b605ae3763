"""Archives of real prices in; ticks out, a line each, from which bars come out as they were: `T time
name price size`, `Q time name bid ask`, `O known series value about`; times in ns, prices in 1e-9."""
import csv
import datetime
import io
import pathlib
import sys
import zipfile

SECOND = 10**9
DAY = 86_400 * SECOND
# All days of the archives lie in New York's summer.
NEW_YORK = 4 * 3_600 * SECOND


def midnight(date):
    """An ISO date's 00:00 UTC."""
    return int(datetime.datetime.fromisoformat(date + "T00:00:00+00:00").timestamp()) * SECOND


def archive(folder, kind, part=""):
    """(UTC ns, fields) of each minute of a folder's zip files."""
    zone = NEW_YORK if "equity" in str(folder) else 0
    for path in sorted(folder.glob(f"*_{kind}.zip")):
        day = midnight(f"{path.name[:4]}-{path.name[4:6]}-{path.name[6:8]}")
        files = zipfile.ZipFile(path)
        for name in files.namelist():
            if part in name:
                for fields in csv.reader(io.TextIOWrapper(files.open(name))):
                    yield day + int(fields[0]) * 10**6 + zone, fields[1:]


def path_of(o, h, l, c):
    """Four prices whose first, greatest, least and last are a bar's."""
    return [o, l, h, c] if c >= o else [o, h, l, c]


def spy(data):
    return pathlib.Path(data) / "Data/equity/usa/minute/spy"


def minutes(data):
    """Each minute's bar as four prints a quarter of a minute apart; units of all sum to its own."""
    for time, fields in archive(spy(data), "trade"):
        prices, volume = [int(x) * 10**5 for x in fields[:4]], int(float(fields[4]))
        quarter = volume // 4
        for at, price in enumerate(path_of(*prices)):
            size = quarter if at < 3 else volume - 3 * quarter
            yield time + at * 15 * SECOND, f"T %d SPY {price} {size}"


def vix(data):
    """(date, open, high, low, close) in 1e-9."""
    for row in csv.reader(open(pathlib.Path(data) / "vix-daily.csv")):
        if row[0] != "DATE":
            yield row[0], *[round(float(x) * 10**6) * 1000 for x in row[1:]]


def closes(data, whole):
    """VIX at its closes, each known two hours later: all of them, or those of 2012 and 2013."""
    for date, *prices in vix(data):
        if whole or "2012-01-01" <= date < "2014-01-01":
            close = midnight(date) + 20 * 3_600 * SECOND
            yield 0, f"O {close + 7_200 * SECOND} CLOSES {prices[3] / 10**9} {close}"


def days(data):
    """Each day's bar as four prints before noon of New York, so on half days too, from 15:00 UTC;
    and the closes as a series, of which almost all are the future at first."""
    yield from closes(data, True)
    for date, *prices in vix(data):
        for at, price in enumerate(path_of(*prices)):
            yield midnight(date) + (15 * 3_600 + at * 600) * SECOND, f"T %d VIX {price} 0"


def markets(data):
    """The quotes of SPY and of ES at the end of each minute of a week's sessions, and VIX at its
    closes, of which many are the week's future."""
    shared = pathlib.Path(data)
    week = midnight("2013-10-07"), midnight("2013-10-12")
    yield from closes(shared / "vix-daily", False)
    folder = shared / "lean-underlyings"
    es = folder / "Data/future/cme/minute/es"
    for name, archived, scale in [
        ("SPY", archive(spy(folder), "quote"), 10**5),
        ("ES", archive(es, "quote", "201312"), 10**9),
    ]:
        for time, fields in archived:
            inside = 13.5 * 3_600 * SECOND <= time % DAY < 20 * 3_600 * SECOND
            if week[0] <= time < week[1] and inside and fields[3] and fields[8]:
                bid, ask = (round(float(x) * scale) for x in (fields[3], fields[8]))
                yield time + 59 * SECOND, f"Q %d {name} {bid} {ask}"


if __name__ == "__main__":
    lines = list({"minutes": minutes, "days": days, "markets": markets}[sys.argv[1]](sys.argv[2]))
    for time, line in sorted(lines, key=lambda line: line[0]):
        print(line % time if "%d" in line else line)
