"""Prints a table of the Autobahn test suite's results (index.json). For Python 2.7.

Exits with 1 if a case failed or was answered non-strictly.
"""
from __future__ import print_function

import json
import sys

SECTIONS = {
    "1": "Framing", "2": "Pings and pongs", "3": "Reserved bits", "4": "Opcodes",
    "5": "Fragmentation", "6": "UTF-8", "7": "Closing", "9": "Limits and performance", "10": "Automatic fragmentation",
}
GOOD = ("OK", "INFORMATIONAL")


def place(case):
    return [int(part) for part in case.split(".")]


def verdict(case):
    """The worse of two results: of the response, and of the close."""
    both = (case["behavior"], case["behaviorClose"])
    bad = [one for one in both if one not in GOOD]
    if bad:
        return "NON-STRICT" if set(bad) == set(["NON-STRICT"]) else "FAILED"
    return case["behavior"]


cases = list(json.load(open(sys.argv[1])).values())[0]
verdicts = dict((name, verdict(case)) for name, case in cases.items())
row = "| {0} | {1} | {2} | {3} | {4} | {5} |"
print(row.format("section", "cases", "passed", "non-strict", "failed", "informational"))
print("|---|---|---|---|---|---|")


def count(names):
    found = [verdicts[name] for name in names]
    kinds = ("OK", "NON-STRICT", "FAILED", "INFORMATIONAL")
    return [len(found)] + [found.count(kind) for kind in kinds]


for section in sorted(set(name.split(".")[0] for name in cases), key=int):
    names = [name for name in cases if name.split(".")[0] == section]
    print(row.format(section + " " + SECTIONS.get(section, ""), *count(names)))
print(row.format("all", *count(list(cases))))

wrong = sorted((name for name in cases if verdicts[name] not in GOOD), key=place)
for name in wrong:
    case = cases[name]
    result = (name, case["behavior"], case["behaviorClose"], case["remoteCloseCode"])
    print("\n%s: %s, closing: %s (close code %s)" % result)
if not cases:
    print("\nno case ran")
sys.exit(1 if wrong or not cases else 0)
