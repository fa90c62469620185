"""The table: what a row holds, whether its target is met, and how it is printed."""

AT_LEAST = ("x", "%", "frames/s")  # in these units more is better; in all others a target is a limit
MISSING, LATER = "not installed", "not measured"  # verdicts of a row without a value
HEAD = ("work", "nnmath", "peer", "its time", "ratio", "at best", "target", "met", "apart")
LINE = "| {:<49}| {:<8}| {:<20}| {:<9}| {:<12}| {:<12}| {:<15}| {:<15}| {:<6}|"


def row(
    work,
    peer="",
    target=None,
    unit="",
    value=None,
    best=None,
    ours=None,
    theirs=None,
    apart=None,
    why=MISSING,
):
    """A row of the table and of results.json.

    value: in `unit`; None if there is none, for the reason `why`. best: the same from the least times. ours,
    theirs: seconds, medians. apart: how far the two are from each other after some steps.
    """
    sign, met = ">=" if unit in AT_LEAST else "<=", None
    if value is not None and target is not None:
        met = bool(value >= target if sign == ">=" else value <= target)
    return {
        "work": work, "peer": peer, "target": target, "sign": sign, "unit": unit, "value": value,
        "best": best, "ours": ours, "theirs": theirs, "apart": apart, "met": met,
        "verdict": why if value is None else {True: "yes", False: "no", None: ""}[met],
    }  # fmt: skip


def cells(row):
    """A row as texts."""
    unit = {"x": "x", "of its time": ""}.get(row["unit"], f" {row['unit']}")
    numbers = [None if v is None else f"{float(f'{v:.3g}'):g}{unit}" for v in (row["value"], row["best"])]
    target = "none" if row["target"] is None else f"{row['sign']} {row['target']:g}{unit}"
    apart = None if row["apart"] is None else f"{row['apart']:.0e}"
    met = row["verdict"].upper() if row["met"] is False else row["verdict"]
    met += f", {row['date']}" if "date" in row else ""
    ours, theirs = duration(row["ours"]), duration(row["theirs"])
    return [s or "" for s in (row["work"], ours, row["peer"], theirs, *numbers, target, met, apart)]


def duration(s):
    return s and (f"{s * 1e3:.3g} ms" if s >= 1e-3 else f"{s * 1e6:.3g} µs")


def line(row=None):
    """A line of the table; without a row, its two lines of head."""
    if row is None:
        return LINE.format(*HEAD) + "\n" + LINE.format(*["---"] * len(HEAD))
    return LINE.format(*cells(row))


def known(row, old, about):
    """A row that takes minutes and was not measured now: as this processor had it before, with the date.

    row: any; others come back as they are. old: the whole of an earlier results.json, or {}. about: this
    machine.
    """
    before = old.get("machine", {})
    if row["verdict"] != LATER or before.get("processor") != about["processor"]:
        return row
    same = ("work", "peer", "target", "unit")
    for found in old.get("rows", ()):
        if found.get("value") is not None and all(found.get(key) == row[key] for key in same):
            return {"date": before.get("date"), **found}
    return row
