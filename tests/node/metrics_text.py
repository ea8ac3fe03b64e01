"""Reads Prometheus' text format and tells every way in which a text is wrong."""

import collections
import math
import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(rf"^({NAME})(?:\{{(.*)\}})? (\S+)$")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)')
KINDS = {"counter", "gauge", "histogram", "summary", "untyped"}


class Metrics:
    def __init__(self, text):
        self.faults = []
        self.helps = {}
        self.kinds = {}
        self.samples = collections.defaultdict(dict)  # family: {(name, labels): value}
        self.closed = set()  # families whose lines are over
        self.current = None
        if not text.endswith("\n"):
            self.faults.append("the last line is not ended")
        for number, line in enumerate(text.split("\n")[:-1], 1):
            fault = self._read(line)
            if fault is not None:
                self.faults.append(f"line {number}: {fault}: {line[:120]}")
        self._check_families()

    def value(self, name, **labels):
        family = self._family(name)
        return self.samples[family][(name, tuple(sorted(labels.items())))]

    def _enter(self, family):
        if family == self.current:
            return None
        if self.current is not None:
            self.closed.add(self.current)
        self.current = family
        return f"lines of {family} do not stand together" if family in self.closed else None

    def _read(self, line):
        if line.startswith("# HELP "):
            name, _, text = line[7:].partition(" ")
            if name in self.helps or not re.fullmatch(NAME, name) or not text:
                return "a second or bad HELP"
            self.helps[name] = text
            return self._enter(name)
        if line.startswith("# TYPE "):
            name, _, kind = line[7:].partition(" ")
            if name in self.kinds or kind not in KINDS or self.samples.get(name):
                return "a second, late or bad TYPE"
            self.kinds[name] = kind
            return self._enter(name)
        return self._read_sample(line)

    def _family(self, name):
        for suffix in ("_bucket", "_sum", "_count"):
            base = name[: -len(suffix)]
            if name.endswith(suffix) and self.kinds.get(base) == "histogram":
                return base
        return name

    def _read_sample(self, line):
        match = SAMPLE.match(line)
        if match is None:
            return "no sample"
        name, label_text, value_text = match.groups()
        labels = LABEL.findall(label_text or "")
        if label_text and "".join(f'{k}="{v}",' for k, v in labels) != label_text.rstrip(",") + ",":
            return "bad labels"
        try:
            value = float(value_text)
        except ValueError:
            return "bad value"
        family = self._family(name)
        key = (name, tuple(sorted(labels)))
        if key in self.samples[family]:
            return "a sample twice"
        self.samples[family][key] = value
        return self._enter(family)

    def _check_families(self):
        for family, samples in self.samples.items():
            if family not in self.kinds or family not in self.helps:
                self.faults.append(f"{family} has no TYPE or HELP")
                continue
            kind = self.kinds[family]
            if kind == "histogram":
                self._check_histogram(family, samples)
            elif kind == "counter":
                if not family.endswith("_total"):
                    self.faults.append(f"{family} is a counter without _total")
                if any(value < 0 or math.isnan(value) for value in samples.values()):
                    self.faults.append(f"{family} counts downwards")

    def _check_histogram(self, family, samples):
        buckets = [(float(dict(labels)["le"]), value) for (name, labels), value in samples.items()
                   if name == family + "_bucket"]
        bounds = [bound for bound, _ in buckets]
        counts = [count for _, count in buckets]
        if bounds != sorted(set(bounds)) or not bounds or bounds[-1] != math.inf:
            self.faults.append(f"{family}: bounds {bounds}")
        if counts != sorted(counts):
            self.faults.append(f"{family}: buckets are not cumulative: {counts}")
        count = samples.get((family + "_count", ()))
        if not counts or count != counts[-1] or (family + "_sum", ()) not in samples:
            self.faults.append(f"{family}: no sum, or a count other than the last bucket's")
