#!/usr/bin/env python3
"""What a model of profile i16ssm-2 computes from the bundled trace:
kernels/NUMERICS.md written down once more, with Python's integers, apart from
the code in C.

usage: make_wide.py ERX [--check]

Lets ERX make the model (random weights from a seed), plays game 0 of the trace
and writes wide_0.hashes beside it, or compares it. Also plays the first frames
of the bundled model, whose profile is i16ssm-1, against world_0.hashes: what
both profiles share has then been seen twice."""

import json
import math
import operator
import pathlib
import struct
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
MODELS = HERE / "../../models"
GOLDEN = HERE / "wide_0.hashes"
FRAMES = 120
WORLD_FRAMES = 5

ACTIVATION_MAX = {"i16ssm-1": 127, "i16ssm-2": 8191}
XMAX = (1 << 26) - 1
TAPS = 4
LOW = [0, -300, -200, 0, -60, -60, -60, -60, -60, -1, 0, 0, 0]
HIGH = [999, 300, 300, 60, 60, 60, 60, 60, 60, 1023, 50, 4, 50]
BUTTONS = [(6, 0), (6, 1), (6, 2), (6, 3), (6, 4), (7, 2), (7, 3), (7, 0)]
LOGIT_HEADS = [400, 400, 8, 8, 3, 3, 3, 3, 32, 32, 64, 64]
CATEGORY_OF_HEAD = [0, 1, 3, 4, 5, 6]  # action, jumps, l_cancel, hurtbox, ground, last_attack
SIG = [min(32767, round(32768 / (1 + math.exp(-(i / 8 - 16))))) for i in range(257)]
SPL = [round(2**24 * math.log(1 + math.exp(-i / 32))) for i in range(513)]
E2 = [round(2**30 * 2 ** (-i / 256)) for i in range(257)]


def clamp(value, low, high):
    return max(low, min(high, value))


def sat16(value):
    return clamp(value, -32767, 32767)


def round_shift(value, shift):
    return (value + (1 << (shift - 1))) >> shift if shift > 0 else value


def requantize(total, multiplier, shift):
    return round_shift(total * multiplier, shift)


def mulhrs(left, right):
    return (left * right + 16384) >> 15


def dot(left, right):
    return sum(map(operator.mul, left, right))


def fnv(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return value


def silu(value, bits):
    shift = bits - 3
    place = value + (1 << (bits + 4))
    index, fraction = place >> shift, place & ((1 << shift) - 1)
    if index < 0:
        sigmoid = 0
    elif index > 255:
        sigmoid = 32767
    else:
        sigmoid = SIG[index] + round_shift((SIG[index + 1] - SIG[index]) * fraction, shift)
    return mulhrs(value, sigmoid)


class Model:
    """The tensors of a model directory by name; matrices as lists of rows."""

    def __init__(self, directory):
        manifest = json.loads((directory / "manifest.json").read_text())
        shape = manifest["architecture"]
        self.top = ACTIVATION_MAX[manifest["profile"]]
        self.d, self.di, self.N = shape["d_model"], shape["d_inner"], shape["d_state"]
        self.layers, self.heads = shape["n_layers"], shape["nheads"]
        self.P, self.cd = shape["headdim"], self.di + 2 * self.N
        data = (directory / "weights_int8.bin").read_bytes()
        codes = {"i8": "b", "i16": "h", "i32": "i", "i64": "q"}
        self.tensors = {}
        for name, entry in manifest["tensors"].items():
            count = math.prod(entry["shape"])
            values = struct.unpack_from(f"<{count}{codes[entry['dtype']]}", data, entry["offset"])
            if len(entry["shape"]) == 2:
                width = entry["shape"][1]
                values = [values[i:i + width] for i in range(0, count, width)]
            self.tensors[name] = values

    def __getitem__(self, name):
        return self.tensors[name]


class World:
    """Section 1, and the start that engine/MODEL.md describes."""

    def __init__(self, stage, characters):
        self.S = [[0] * 13 for _ in range(2)]
        self.binary = [[1, 0, 1], [0, 0, 1]]
        self.category = []
        for p in range(2):
            self.S[p][1] = (-30 if p == 0 else 30) << 16
            self.S[p][3], self.S[p][11] = 60 << 16, 4 << 16
            self.category += [14, 2, characters[p], 0, 0, 1, 0]
        self.category.append(stage)
        self.control = [bytes(8), bytes(8)]

    def data(self):
        values = struct.pack("<26i", *self.S[0], *self.S[1])
        values += bytes(self.binary[0] + self.binary[1])
        values += struct.pack("<15H", *self.category) + self.control[0] + self.control[1]
        return values.ljust(192, b"\0")

    def advance(self, reg, choices, control):
        """Section 7."""
        for p in range(2):
            S, category = self.S[p], self.category
            same = choices[p] == category[7 * p]
            moves = list(zip([0, 1, 2, 3], reg[4 * p:])) + \
                list(zip([4, 5, 6, 7, 8], reg[14 + 5 * p:]))
            values = {j: S[j] + step for j, step in moves}
            values[9] = S[9] + 65536 if same else 0
            values.update(zip([10, 11, 12], reg[24 + 3 * p:]))
            for j, value in values.items():
                S[j] = clamp(value, LOW[j] << 16, HIGH[j] << 16)
            self.binary[p] = [int(reg[8 + 3 * p + i] > 0) for i in range(3)]
            for i, place in enumerate(CATEGORY_OF_HEAD):
                category[7 * p + place] = choices[2 * i + p]
        self.control = control


def control_features(control):
    sticks = struct.unpack("4b", control[:4])
    features = [(stick + 128) * 128 for stick in sticks] + [max(control[4], control[5]) * 128]
    return features + [(control[byte] >> bit & 1) * 16384 for byte, bit in BUTTONS]


def normalize(values, eps):
    """Section 4.1."""
    ss, k = eps + dot(values, values), 0
    while ss >= 1 << 32:
        ss, k = ss >> 2, k + 1
    while ss < 1 << 30:
        ss, k = ss << 2, k - 1
    r = math.isqrt((1 << 62) // ss)
    return [sat16((v * r + (1 << (15 + k))) >> (16 + k)) for v in values]


def shrink(values, gains, shift, top):
    """Section 4.2, in the profile's bits: activations and their exponent."""
    t = [value * gain for value, gain in zip(values, gains)]
    greatest = max(map(abs, t))
    exponent = -2
    while exponent < 5 and round_shift(greatest, shift + exponent) > top:
        exponent += 1
    return [clamp(round_shift(v, shift + exponent), -top, top) for v in t], exponent


class Layer:
    """Section 5, with its part of the recurrent state."""

    def __init__(self, model, index):
        self.model = model
        names = ("Win Win_m Wc Wc_m bc dtb Am md my mD G1 G2 Wo Wo_m").split()
        for name in names:
            setattr(self, name, model[f"layers.{index}.{name}"])
        (self.G1_s, self.Win_s, self.fz, self.Wc_s, self.fx, self.kb, self.kc, self.y_s,
         self.G2_s, self.Wo_s) = model[f"layers.{index}.sc"]
        self.eps2 = model[f"layers.{index}.eps2"][0]
        self.taps = [[0] * model.cd for _ in range(TAPS - 1)]
        self.h = [[[0] * model.N for _ in range(model.P)] for _ in range(model.heads)]

    def data(self):
        model, values = self.model, [value for tap in self.taps for value in tap]
        for head in self.h:
            for j in range(0, model.N, 2):
                for row in head:
                    values += row[j:j + 2]
        return struct.pack(f"<{len(values)}h", *values)

    def convolve(self, c):
        """5.4"""
        model, w = self.model, []
        window = self.taps + [c]
        for i in range(model.cd):
            acc = sum(window[k][i] * self.Wc[i][k] for k in range(TAPS))
            v = sat16(requantize(acc, self.Wc_m[i], self.Wc_s) + self.bc[i])
            w.append(silu(v, self.fx))
        self.taps = window[1:]
        c_max = model["sc"][8]
        B = [sat16(v << self.kb) for v in w[model.di:model.di + model.N]]
        C = [clamp(round_shift(v, self.kc), -c_max, c_max) for v in w[model.di + model.N:]]
        return w[:model.di], B, C

    def decay(self, head, value):
        """5.5"""
        q = clamp(value + self.dtb[head], 1 - (1 << 20), (1 << 20) - 1)
        index, fraction = abs(q) >> 11, abs(q) & 2047
        dt = (max(q, 0) << 8) + SPL[index] - \
            round_shift((SPL[index] - SPL[index + 1]) * fraction, 11)
        t = dt * self.Am[head] >> 24
        kk, f = min(t >> 16, 16), t & 65535
        E = E2[f >> 8] - round_shift((E2[f >> 8] - E2[(f >> 8) + 1]) * (f & 255), 8)
        Abar = min((E + (1 << (14 + kk))) >> (15 + kk), 32767)
        Kx = min(round_shift(dt * self.md[head], 24), (1 << 29) - 1)
        nb = max(Kx.bit_length() - 15, 0)
        return Abar, Kx >> nb, 16 - nb

    def scan(self, xs, B, C, dt):
        """5.6"""
        model, result = self.model, []
        for head in range(model.heads):
            Abar, Km, ns = self.decay(head, dt[head])
            for p in range(model.P):
                x, row = xs[head * model.P + p], self.h[head][p]
                dtx = sat16((x * Km + (1 << (ns - 1))) >> ns)
                for n in range(model.N):
                    row[n] = clamp(mulhrs(row[n], Abar) + mulhrs(dtx, B[n]), -32768, 32767)
                acc = dot(row, C)
                result.append(sat16(
                    round_shift(acc * self.my[head] + x * self.mD[head], self.y_s)))
        return result

    def step(self, x):
        model = self.model
        u, e = shrink(normalize(x, model["eps1"][0]), self.G1, self.G1_s, model.top)
        p = [requantize(dot(row, u), m, self.Win_s - e) for row, m in zip(self.Win, self.Win_m)]
        z = [sat16(v) for v in p[:model.di]]
        c = [sat16(v) for v in p[model.di:model.di + model.cd]]
        yy = self.scan(*self.convolve(c), p[model.di + model.cd:])
        pg = [round_shift(y * silu(v, self.fz), 8) for y, v in zip(yy, z)]
        u2, e2 = shrink(normalize(pg, self.eps2), self.G2, self.G2_s, model.top)
        return [clamp(v + requantize(dot(row, u2), m, self.Wo_s - e2), -XMAX, XMAX)
                for v, row, m in zip(x, self.Wo, self.Wo_m)]


class Session:
    def __init__(self, model, stage, characters):
        self.model, self.world = model, World(stage, characters)
        self.layers = [Layer(model, index) for index in range(model.layers)]

    def embed(self):
        """Sections 2 and 3."""
        model, world, features = self.model, self.world, []
        for p in range(2):
            features += [sat16(round_shift(s * m, 24)) for s, m in zip(world.S[p], model["fm"])]
            features += [bit * 16384 for bit in world.binary[p]]
            features += control_features(world.control[p])
        _, T_sh, Wf_s = model["sc"][:3]
        x = []
        for o in range(model.d):
            tables = sum(model[f"T.{k}"][value][o] << T_sh
                         for k, value in enumerate(world.category))
            acc = requantize(dot(model["Wf"][o], features), model["Wf_m"][o], Wf_s)
            x.append(clamp(acc + model["bf"][o] + tables, -XMAX, XMAX))
        return x

    def outputs(self, x, control):
        """Section 6."""
        model = self.model
        _, _, _, _, Gf_s, Wctl_s, Gh_s, Wl_s, _ = model["sc"]
        controls = control_features(control[0]) + control_features(control[1])
        hidden = []
        for o, y in enumerate(normalize(x, model["eps1"][0])):
            hn = sat16(round_shift(y * model["Gf"][o], Gf_s))
            pressed = requantize(dot(model["Wctl"][o], controls), model["Wctl_m"][o], Wctl_s)
            hidden.append(sat16(hn + pressed + model["bctl"][o]))
        reg = [round_shift(dot(row, hidden) * m, s) + b for row, m, s, b in
               zip(model["Wr"], model["Wr_m"], model["Wr_s"], model["br"])]
        u, e = shrink(hidden, model["Gh"], Gh_s, model.top)
        log = [requantize(dot(row, u), m, Wl_s - e) + b for row, m, b in
               zip(model["Wl"], model["Wl_m"], model["bl"])]
        return reg, log

    def step(self, control):
        x = self.embed()
        for layer in self.layers:
            x = layer.step(x)
        reg, log = self.outputs(x, control)
        choices, first = [], 0
        for width in LOGIT_HEADS:
            head = log[first:first + width]
            choices.append(head.index(max(head)))
            first += width
        self.world.advance(reg, choices, control)

    def hash(self):
        return fnv(self.world.data() + b"".join(layer.data() for layer in self.layers))


def play(directory, frames):
    """Lines "frame hash" of game 0 of the trace."""
    trace = (MODELS / "scripted.trace").read_bytes()
    games, = struct.unpack_from("<I", trace, 8)
    first, count, stage, *characters = struct.unpack_from("<IIBBB", trace, 16)
    session = Session(Model(directory), stage, characters)
    lines = []
    for frame in range(frames):
        at = 16 + 12 * games + 16 * (first + frame % count)
        session.step([trace[at:at + 8], trace[at + 8:at + 16]])
        lines.append(f"{frame + 1} {session.hash():016x}\n")
    return lines


def main():
    if len(sys.argv) < 2 or sys.argv[2:] not in ([], ["--check"]):
        sys.exit(__doc__)
    world = (HERE / "world_0.hashes").read_text().splitlines(keepends=True)
    if play(MODELS / "world", WORLD_FRAMES) != world[:WORLD_FRAMES]:
        sys.exit("models/world plays otherwise than world_0.hashes has it")
    with tempfile.TemporaryDirectory() as scratch:
        directory = pathlib.Path(scratch) / "wide"
        subprocess.run([sys.argv[1], "synth", "--preset", "micro", "--seed", "1", "--profile",
                        "i16ssm-2", "--out", directory], check=True, stdout=subprocess.DEVNULL)
        text = "".join(play(directory, FRAMES))
    if not sys.argv[2:]:
        GOLDEN.write_text(text)
    elif GOLDEN.read_text() != text:
        sys.exit(f"{GOLDEN.name} is not what the model computes")


if __name__ == "__main__":
    main()
