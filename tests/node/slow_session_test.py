#!/usr/bin/env python3
"""Sessions with a frame in only some ticks, as their watchers see them: states in
between at commitment processed, frames alone everywhere else."""

import base64
import json
import pathlib
import struct
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from validator_rig import Validator, WebSocket, until

WORLD = "WrLd111111111111111111111111111111111111111"
DIVISOR = 4
SECONDS = 3
PLAYERS = (82, 114)
CONTINUOUS = "<iiHHhhhhh"
CONTINUOUS_BYTES = struct.calcsize(CONTINUOUS)


def session_key(validator):
    filters = [{"dataSize": 256}]
    options = {"encoding": "base64", "filters": filters}
    until("a session", lambda: validator.result("getProgramAccounts", WORLD, options))
    return validator.result("getProgramAccounts", WORLD, options)[0]["pubkey"]


def frame_of(state):
    return struct.unpack_from("<I", state, 9)[0]


def watch(validator, key, commitment):
    """A WebSocket that is told of an account."""
    socket = WebSocket(validator)
    options = {"encoding": "base64", "commitment": commitment}
    request = {"jsonrpc": "2.0", "id": 1, "method": "accountSubscribe", "params": [key, options]}
    socket.send_text(json.dumps(request))
    assert "result" in socket.receive_message()
    return socket


def collect(socket, seconds):
    """Slots and states that are told within some seconds."""
    told = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        result = socket.receive_message()["params"]["result"]
        told.append((result["context"]["slot"], base64.b64decode(result["value"]["data"][0])))
    return told


def between(earlier, later, step):
    """The state step / DIVISOR of the way, computed without the validator's code."""
    state = bytearray(earlier)
    for at in PLAYERS:
        numbers = []
        for a, b in zip(
            struct.unpack_from(CONTINUOUS, earlier, at), struct.unpack_from(CONTINUOUS, later, at)
        ):
            moved = (2 * abs(b - a) * step + DIVISOR) // (2 * DIVISOR)
            numbers.append(a + moved if b > a else a - moved)
        struct.pack_into(CONTINUOUS, state, at, *numbers)
    return bytes(state)


def test_states_between_frames(erx, model):
    validator = Validator(erx, model, f"session_divisor={DIVISOR}", bots=1)
    try:
        key = session_key(validator)
        durable = watch(validator, key, "confirmed")
        with watch(validator, key, "processed") as socket:
            told = collect(socket, SECONDS)
        frames = {frame_of(state): state for _, state in collect(durable, SECONDS)}
        checked = moving = 0
        for slot, state in told:
            number = frame_of(state)
            if number not in frames or number + 1 not in frames:
                continue
            ways = [between(frames[number], frames[number + 1], i) for i in range(DIVISOR)]
            assert state in ways, f"slot {slot}, frame {number}: {state.hex()}"
            checked += 1
            moving += state != frames[number]
        assert [frame_of(state) for _, state in told] == sorted(frame_of(s) for _, s in told)
        assert [slot for slot, _ in told] == sorted({slot for slot, _ in told})
        assert checked > len(told) // 2, f"{checked} of {len(told)}"
        assert moving > DIVISOR, f"{moving} of {checked}"
        rate_is_kept(validator)
    finally:
        validator.remove()


def rate_is_kept(validator):
    """A session keeps its rate over a restart with another setting."""
    validator.settings = ("session_divisor=1",)
    validator.restart_after_kill()
    until("ticks", lambda: validator.metric("erx_ticks_total") >= 100)
    share = validator.metric("erx_frames_total") / validator.metric("erx_ticks_total")
    assert 0 < share < 2 / DIVISOR, f"{share} frames a tick"


def test_frames_alone(erx, model):
    validator = Validator(erx, model, f"session_divisor={DIVISOR}", "interpolate=no", bots=1)
    try:
        with watch(validator, session_key(validator), "processed") as socket:
            numbers = [frame_of(state) for _, state in collect(socket, 1)]
        assert len(numbers) > 2 and len(set(numbers)) == len(numbers), numbers
    finally:
        validator.remove()


if __name__ == "__main__":
    test_states_between_frames(*sys.argv[1:])
    test_frames_alone(*sys.argv[1:])
    print("slow sessions: states between frames, frames alone")
