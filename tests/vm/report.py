#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""report.py LINES OUT: verifier.json, and the same as a table (Markdown)."""
import json
import sys

COLUMNS = [("kernel", "kernel"), ("settings", "settings"),
           ("program", "program"), ("instructions", "instructions"),
           ("states_peak", "peak states"), ("states_total", "total states"),
           ("states_per_insn_max", "most states of an instruction"),
           ("stack_b", "stack of each function, bytes"),
           ("verification_us", "time, ms")]


def cell(key, v):
    if key == "stack_b":
        return "+".join(map(str, v))
    if key == "verification_us":
        return format(round(v / 1000), ",")
    return format(v, ",") if isinstance(v, int) else v


with open(sys.argv[1]) as f:
    rows = [json.loads(line) for line in f if line.strip()]
with open(sys.argv[2], "w") as f:
    json.dump({"schema": "sealane-verifier/1", "rows": rows}, f, indent=1)
    f.write("\n")
table = [[name for _, name in COLUMNS]]
table += [[cell(key, r[key]) for key, _ in COLUMNS] for r in rows]
table.insert(1, ["---"] * len(COLUMNS))
for row in table:
    print("| " + " | ".join(row) + " |")
