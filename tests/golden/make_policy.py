#!/usr/bin/env python3
"""What the bundled policy answers to made-up frames: kernels/POLICY.md written
down once more, with Python's integers, apart from the code in C.

usage: make_policy.py [--check]

Writes policy.golden beside it, or compares it. The file, little-endian: 8 bytes
"ERXPOLG1", u32 cases, u32 frames of a case (K); then for each case u64 seed, u32
frame number, u32 player, K game states of 192 bytes (kernels/world.h), oldest
first, 13 i32 outputs, the controller with chance, the controller without."""

import json
import math
import pathlib
import struct
import sys

HERE = pathlib.Path(__file__).resolve().parent
POLICY = HERE / "../../models/policy"
GOLDEN = HERE / "policy.golden"
MAGIC = b"ERXPOLG1"
CASES = 10

COUNTS = [400, 8, 33, 3, 3, 32, 64]  # values of a player's categoricals
STAGES = 33
LOW = [0, -300, -200, 0, -60, -60, -60, -60, -60, -1, 0, 0, 0]
HIGH = [999, 300, 300, 60, 60, 60, 60, 60, 60, 1023, 50, 4, 50]
BUTTONS = [(6, 1), (6, 2), (6, 4), (6, 8), (6, 16), (7, 4), (7, 8), (7, 1)]
WORD = (1 << 64) - 1
STEP = 0x9E3779B97F4A7C15
SIGMOID = [min(32767, round(32768 / (1 + math.exp(-(i / 8 - 16))))) for i in range(257)]


def clamp(value, low, high):
    return max(low, min(high, value))


def round_shift(value, shift):
    return (value + (1 << (shift - 1))) >> shift


def requantize(total, multiplier, shift):
    return round_shift(total * multiplier, shift)


def mix(value):
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 & WORD
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB & WORD
    return value ^ (value >> 31)


class Policy:
    """The tensors of a policy directory by name, as rows of numbers."""

    def __init__(self, directory):
        manifest = json.loads((directory / "manifest.json").read_text())
        shape = manifest["architecture"]
        self.widths = shape["embed_widths"]
        self.context = shape["context_len"]
        hidden, trunk = shape["hidden_dim"], shape["trunk_dim"]
        dense = 32 + 2 * sum(self.widths[:7]) + self.widths[7]
        plan = [("Wd", "b", hidden, self.context * dense), ("Wc", "b", hidden, self.context * 26),
                ("Wt", "b", trunk, hidden), ("Wo", "b", 13, trunk)]
        rows = COUNTS + [STAGES]
        plan += [(f"E.{i}", "b", rows[i], self.widths[i]) for i in range(8)]
        plan += [(name, "i", 1, size) for name, size in (
            ("fm", 13), ("Wc_m", hidden), ("Wd_m", hidden), ("b1", hidden), ("Wt_m", trunk),
            ("bt", trunk), ("Wo_m", 13), ("bo", 13), ("sc", 4))]
        data = (directory / "weights_int8.bin").read_bytes()
        offset = 0
        for name, code, count, width in plan:
            size = struct.calcsize("<" + code) * count * width
            values = struct.unpack_from(f"<{count * width}{code}", data, offset)
            table = [values[i * width:(i + 1) * width] for i in range(count)]
            setattr(self, name.replace(".", ""), table if code == "b" else table[0])
            offset += (size + 63) // 64 * 64
        assert offset == len(data) == manifest["total_weight_bytes"]


class State:
    """A game state: numbers drawn from a stream of mixed counters."""

    def __init__(self, stream):
        def draw(low, high):
            nonlocal stream
            stream = (stream + STEP) & WORD
            return low + mix(stream) % (high - low + 1)

        def sometimes(low, high):
            """Near the middle more often than at the ends."""
            scale = draw(0, 3)
            return draw(low >> (4 * scale), high >> (4 * scale)) if scale else draw(low, high)

        self.S = [[sometimes(LOW[j] << 16, HIGH[j] << 16) for j in range(13)] for _ in range(2)]
        self.binary = [[draw(0, 1) for _ in range(3)] for _ in range(2)]
        self.category = [draw(0, n - 1) for n in COUNTS * 2 + [STAGES]]
        self.control = [[draw(0, 255) for _ in range(8)] for _ in range(2)]

    def bytes(self):
        return struct.pack("<26i6B15H16B36x", *self.S[0], *self.S[1], *self.binary[0],
                           *self.binary[1], *self.category, *self.control[0], *self.control[1])


def signed(byte):
    return byte - 256 if byte > 127 else byte


def flags(state, player):
    control = state.control[player]
    columns = [127 * bit for bit in state.binary[player]]
    columns += [max(signed(byte), -127) for byte in control[:4]]
    columns.append(max(control[4], control[5]) >> 1)
    return columns + [127 if control[at] & bit else 0 for at, bit in BUTTONS]


def columns_of(policy, state, player):
    wide, dense, embedded = [], [], []
    for who in (player, 1 - player):
        for value, scale in zip(state.S[who], policy.fm):
            wide.append(clamp(round_shift(value * scale, 24), -16256, 16256))
        dense += flags(state, who)
        for i, value in enumerate(state.category[7 * who:7 * who + 7]):
            embedded += getattr(policy, f"E{i}")[value]
    return wide, dense + embedded + list(policy.E7[state.category[14]])


def dot(weights, values):
    return sum(weight * value for weight, value in zip(weights, values))


def shrink(units):
    units = [max(unit, 0) for unit in units]
    exponent = -2
    while exponent < 5 and round_shift(max(units), 8 + exponent) > 127:
        exponent += 1
    return [min(round_shift(unit, 8 + exponent), 127) for unit in units], exponent


def layer(weights, multipliers, bias, shift, values, exponent):
    return [requantize(dot(row, values), m, shift - exponent) + b
            for row, m, b in zip(weights, multipliers, bias)]


def outputs_of(policy, states, player):
    wide, dense = [], []
    for state in states:
        more_wide, more_dense = columns_of(policy, state, player)
        wide += more_wide
        dense += more_dense
    units = [a + b for a, b in zip(
        layer(policy.Wc, policy.Wc_m, [0] * len(policy.b1), policy.sc[0], wide, 0),
        layer(policy.Wd, policy.Wd_m, policy.b1, policy.sc[1], dense, 0))]
    values, exponent = shrink(units)
    units = layer(policy.Wt, policy.Wt_m, policy.bt, policy.sc[2], values, exponent)
    values, exponent = shrink(units)
    return layer(policy.Wo, policy.Wo_m, policy.bo, policy.sc[3], values, exponent)


def share(output):
    value = clamp(round_shift(output, 5), -32767, 32767)
    place = value + (1 << 15)
    index, fraction = place >> 8, place & 255
    if index < 0:
        return 0
    if index > 255:
        return 32767
    return SIGMOID[index] + round_shift((SIGMOID[index + 1] - SIGMOID[index]) * fraction, 8)


def draws_of(seed, frame, player):
    place = (mix((seed + STEP) & WORD) + (2 * frame + player) * STEP) & WORD
    words = [mix((mix(place) + (i + 1) * STEP) & WORD) for i in range(4)]
    return [words[k // 4] >> (16 * (k % 4)) & 0xFFFF for k in range(13)]


def level_of(axis, output, before, draw):
    places = [0, 255] if axis == 4 else [1, 128, 255]
    mean = round_shift(share(output) * 255, 7)
    if mean > 256 * before:
        beyond = [p for p in places if p > before and 256 * p >= mean] or places[-1:]
        to = beyond[0]
    else:
        beyond = [p for p in places if p < before and 256 * p <= mean] or places[:1]
        to = beyond[-1]
    if to == before:
        return before
    chance = abs(mean - 256 * before) * 65536 // (256 * abs(to - before))
    towards = (mean > 256 * before) == (to > before)
    return to if towards and chance > draw else before


def truncated(value, divisor):
    return value // divisor if value >= 0 else -(-value // divisor)


def stick_bytes(levels):
    tilts = [0 if abs(level - 128) < 35 else level - 128 for level in levels]
    length = max(127, math.isqrt(max(sum(tilt * tilt for tilt in tilts) - 1, 0)) + 1)
    return [truncated(tilt * 127, length) & 255 for tilt in tilts]


def decide(outputs, before, draws):
    levels = [max(signed(byte), -127) + 128 for byte in before[:4]]
    levels.append(max(before[4], before[5]))
    levels = [level_of(axis, outputs[axis], levels[axis], draws[axis]) for axis in range(5)]
    control = stick_bytes(levels[:2]) + stick_bytes(levels[2:4]) + [levels[4], 0, 0, 0]
    for i, (at, bit) in enumerate(BUTTONS):
        if 2 * share(outputs[5 + i]) > draws[5 + i]:
            control[at] |= bit
    return bytes(control)


def golden(policy):
    parts = [MAGIC, struct.pack("<II", CASES, policy.context)]
    for case in range(CASES):
        seed, frame, player = mix(case + 1), case * case * 977, case % 2
        states = [State(mix(1000 * case + k)) for k in range(policy.context)]
        outputs = outputs_of(policy, states, player)
        before = states[-1].control[player]
        parts.append(struct.pack("<QII", seed, frame, player))
        parts += [state.bytes() for state in states]
        parts.append(struct.pack("<13i", *outputs))
        parts.append(decide(outputs, before, draws_of(seed, frame, player)))
        parts.append(decide(outputs, before, [32768] * 13))
    return b"".join(parts)


def main(arguments):
    if arguments not in ([], ["--check"]):
        sys.exit(__doc__)
    content = golden(Policy(POLICY))
    if not arguments:
        GOLDEN.write_bytes(content)
        return 0
    if GOLDEN.read_bytes() != content:
        print("policy.golden is not what make_policy.py makes of models/policy")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
