#!/usr/bin/env python3
"""Clients that break rules, against a running validator: it refuses what is
wrong, bounds what is too much, serves everybody else, and loses nothing.

usage: hostile_test.py ERX MODEL"""

import base64
import json
import os
import pathlib
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.dont_write_bytecode = True

from metrics_text import Metrics
from validator_rig import (BASE58, BINARY, CLOSE, PING, PONG, Http, Validator, WebSocket,
                           random_key, until)

ERX = None
MODEL = None
WORLD = "WrLd111111111111111111111111111111111111111"
BODY_MAX = 16384
HEADER_MAX = 2048
HEADER_SECONDS = 1
SUBSCRIPTIONS_MAX = 8
BATCH_MAX = 16
IDLE_CONNECTIONS = 1000


class Shared(unittest.TestCase):
    """Cases that share a validator with tight limits."""

    settings = (f"body_bytes_max={BODY_MAX}", f"header_bytes_max={HEADER_MAX}",
                f"header_seconds_max={HEADER_SECONDS}", f"subscriptions_max={SUBSCRIPTIONS_MAX}",
                f"batch_max={BATCH_MAX}", "log_level=error", "workers=1", "sessions_max=8")
    bots = 0

    @classmethod
    def setUpClass(cls):
        cls.validator = Validator(ERX, MODEL, *cls.settings, bots=cls.bots)

    @classmethod
    def tearDownClass(cls):
        status = cls.validator.end(signal.SIGTERM)
        messages = cls.validator.messages()
        cls.validator.remove()
        assert status == 0, f"exit status {status}: {messages}"

    def tearDown(self):
        """Whatever the case did: others are served."""
        self.assertTrue(self.validator.is_alive(), self.validator.messages())
        self.assertEqual(self.validator.result("getHealth"), "ok")

    def error_code(self, body):
        status, answer = self.validator.post(body)
        self.assertEqual(status, 200)
        return json.loads(answer)["error"]["code"]


class HostileHttp(Shared):
    def test_body_beyond_limit_is_refused_before_it_arrives(self):
        with Http(self.validator) as http:
            status, _ = http.exchange(
                f"POST / HTTP/1.1\r\nHost: e\r\nContent-Length: {BODY_MAX + 1}\r\n\r\n".encode())
            self.assertEqual(status, 413)
            self.assertTrue(http.is_closed_within(5))

    def test_body_of_the_limit_is_read(self):
        request = b'{"jsonrpc":"2.0","id":1,"method":"getHealth"}'
        status, body = self.validator.post(request + b" " * (BODY_MAX - len(request)))
        self.assertEqual((status, json.loads(body)["result"]), (200, "ok"))

    def test_lengths_that_are_none_are_refused(self):
        for length in ("-1", "abc", "1" * 40, "18446744073709551616", "0x10", "1 2", "+5", ""):
            with Http(self.validator) as http:
                http.send(b"POST / HTTP/1.1\r\nHost: e\r\nContent-Length: ")
                http.send(f"{length}\r\n\r\n".encode())
                try:
                    self.assertGreaterEqual(http.answer()[0], 400, length)
                except ConnectionError:
                    continue  # closed without a word: refused as well

    def test_post_without_length_is_refused(self):
        with Http(self.validator) as http:
            self.assertEqual(http.exchange(b"POST / HTTP/1.1\r\nHost: e\r\n\r\n")[0], 411)

    def test_headers_beyond_limit_close(self):
        with Http(self.validator) as http:
            http.send(b"GET /health HTTP/1.1\r\nHost: e\r\n")
            try:
                for i in range(64):
                    http.send(f"X-Filler-{i}: {'y' * 200}\r\n".encode())
            except ConnectionError:
                return
            self.assertTrue(http.is_closed_within(HEADER_SECONDS + 5))

    def test_one_endless_header_closes(self):
        with Http(self.validator) as http:
            try:
                for _ in range(64):
                    http.send(b"z" * 1024)
            except ConnectionError:
                return
            self.assertTrue(http.is_closed_within(HEADER_SECONDS + 5))

    def test_slow_header_is_cut_off(self):
        with Http(self.validator) as http:
            begin = time.monotonic()
            try:
                for byte in b"GET /health HTTP/1.1\r\nX: " + b"s" * 400:
                    http.send(bytes([byte]))
                    if http.is_closed_within(0.05):
                        break
            except ConnectionError:
                pass
            self.assertLess(time.monotonic() - begin, HEADER_SECONDS + 8)

    def test_slow_body_is_cut_off(self):
        with Http(self.validator) as http:
            http.send(b"POST / HTTP/1.1\r\nHost: e\r\nContent-Length: 1000\r\n\r\n{")
            begin = time.monotonic()
            closed = False
            try:
                while not closed and time.monotonic() - begin < HEADER_SECONDS + 8:
                    closed = http.is_closed_within(0.1)
                    http.send(b" ")
            except ConnectionError:
                closed = True
            self.assertTrue(closed)

    def test_garbage_closes_or_is_refused(self):
        for garbage in (b"\0" * 64, b"\xff\xfe\xfd\r\n\r\n", b"\x16\x03\x01\x02\x00\x01" * 20,
                        b"GET\r\n\r\n", b" / HTTP/1.1\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
                        b"BREW / HTTP/1.1\r\n\r\n", b"GET " + b"/a" * 400 + b" HTTP/1.1\r\n\r\n",
                        b"GET /%zz HTTP/1.1\r\n\r\n", b"GET /%00 HTTP/1.1\r\n\r\n",
                        b"GET /health HTTP/1.1\r\nNo colon\r\n\r\n", b"\r\n" * 100,
                        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET http://a/b HTTP/1.1\r\n\r\n"):
            with self.subTest(garbage=garbage[:20]), Http(self.validator) as http:
                http.send(garbage)
                http.is_closed_within(0.2)
                self.assertEqual(self.validator.get("/health")[0], 200)

    def test_other_methods_are_refused(self):
        for method in ("PUT", "DELETE", "PATCH"):
            with Http(self.validator) as http:
                try:
                    status, _ = http.exchange(
                        f"{method} / HTTP/1.1\r\nHost: e\r\nContent-Length: 0\r\n\r\n".encode())
                    self.assertEqual(status, 405, method)
                except ConnectionError:
                    self.assertEqual(method, "PATCH", "libwebsockets may not know it")

    def test_pages_stay_in_their_directory(self):
        for path in ("/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc/passwd",
                     "//etc/passwd", "/.git/config", "/index.html/../../x"):
            status, body = self.validator.get(path)
            self.assertGreaterEqual(status, 400, path)
            self.assertNotIn(b"root:", body)

    def test_requests_in_one_packet_are_answered_in_order_or_end_the_connection(self):
        def request(number):
            body = json.dumps({"jsonrpc": "2.0", "id": number, "method": "getSlot"})
            header = f"POST / HTTP/1.1\r\nHost: e\r\nContent-Length: {len(body)}\r\n\r\n"
            return (header + body).encode()

        get = b"GET /health HTTP/1.1\r\nHost: e\r\n\r\n"
        for packets in ([get + request(0) + request(1)], [b"".join(request(i) for i in range(20))],
                        [request(0) + request(1)[:-9], request(1)[-9:]],
                        [request(0) + request(1)[:20], request(1)[20:]]):
            ids = []
            with Http(self.validator) as http:
                try:
                    for packet in packets:
                        http.send(packet)
                        time.sleep(0.02)
                    while len(ids) < 2:
                        status, body = http.answer()
                        ids += [json.loads(body)["id"]] if body != b"ok\n" else []
                except ConnectionError:
                    pass
            self.assertIn(ids, ([], [0], [0, None], [None], [0, 1]))
            self.assertEqual(self.validator.result("getHealth"), "ok")

    def test_connection_that_leaves_while_its_answer_waits(self):
        for _ in range(20):
            body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "requestAirdrop",
                               "params": [random_key(), 5]})
            with Http(self.validator) as http:
                http.send(f"POST / HTTP/1.1\r\nHost: e\r\nContent-Length: {len(body)}\r\n\r\n{body}"
                          .encode())

    def test_request_ahead_of_an_answer_that_waits_never_mixes(self):
        airdrop = json.dumps({"jsonrpc": "2.0", "id": "drop", "method": "requestAirdrop",
                              "params": [random_key(), 5]})
        slot = json.dumps({"jsonrpc": "2.0", "id": "slot", "method": "getSlot"})
        packets = [f"POST / HTTP/1.1\r\nHost: e\r\nContent-Length: {len(body)}\r\n\r\n{body}"
                   .encode() for body in (airdrop, slot, slot)]
        for sends in (packets, [b"".join(packets)]):
            ids = []
            with Http(self.validator) as http:
                try:
                    for data in sends:
                        http.send(data)
                    while len(ids) < 3:
                        ids.append(json.loads(http.answer()[1])["id"])
                except ConnectionError:
                    pass  # ended in place of an answer
            self.assertEqual(ids, ["drop", "slot", "slot"][: len(ids)])
            self.assertEqual(self.validator.result("getHealth"), "ok")


class HostileJson(Shared):
    def test_text_that_is_no_json(self):
        for body in (b"", b"{", b"}{", b"nul", b'{"id":1', b'"\xff\xfe"', b"\0", b"[1,]",
                     b'{"jsonrpc":"2.0","id":1,"method":"getHealth"}x', b"\xef\xbb\xbf{}",
                     b'{"jsonrpc":"2.0","id":1,"method":"\xc3\x28"}', b'"\\ud800"', b"NaN", b"01"):
            self.assertEqual(self.error_code(body), -32700, body)

    def test_json_that_is_no_request(self):
        for body in (b"1", b'"getHealth"', b"null", b"{}", b"[]", b'{"id":1}', b"true",
                     b'{"id":1,"method":5}', b'{"id":{},"method":"getHealth"}'):
            self.assertEqual(self.error_code(body), -32600, body)

    def test_deep_nesting_is_refused(self):
        for body in (b"[" * 8000, b"[" * 4000 + b"]" * 4000, b'{"a":' * 3000):
            status, answer = self.validator.post(body)
            self.assertEqual(status, 200)
            self.assertIn(b'"error"', answer)

    def test_batch_limit(self):
        one = {"jsonrpc": "2.0", "id": 1, "method": "getHealth"}
        status, body = self.validator.post(json.dumps([one] * BATCH_MAX).encode())
        self.assertEqual([answer["result"] for answer in json.loads(body)], ["ok"] * BATCH_MAX)
        self.assertEqual(self.error_code(json.dumps([one] * (BATCH_MAX + 1)).encode()), -32600)
        status, body = self.validator.post(b"[1,{},null]")
        self.assertEqual([answer["error"]["code"] for answer in json.loads(body)], [-32600] * 3)

    def test_ids_come_back_as_they_were(self):
        for text in (b"0", b"-7", b"9223372036854775807", b"18446744073709551615", b'"13"', b'""',
                     b'"\\u00e9\\n\\""', b"null"):
            _, body = self.validator.post(
                b'{"jsonrpc":"2.0","id":' + text + b',"method":"getHealth"}')
            self.assertEqual(json.loads(body)["id"], json.loads(text))

    def test_wrong_parameters_of_every_method_are_refused(self):
        methods = """getAccountInfo getBalance getProgramAccounts getMultipleAccounts
            getSignatureStatuses getSignaturesForAddress getTransaction getFeeForMessage
            isBlockhashValid requestAirdrop sendTransaction simulateTransaction
            getDelegationStatus getMinimumBalanceForRentExemption""".split()
        for method in methods:
            for params in ([], [None], [5.5], [{}], [[]], ["0OIl"], ["1" * 500], [-1], [[5]],
                           ["x", "y", "z"], [{"a": [1]}], [[[]]], [True]):
                answer = self.validator.call(method, *params)
                if method == "getMultipleAccounts" and params == [[]]:
                    self.assertEqual(answer["result"]["value"], [])
                elif method == "getSignatureStatuses" and params == [[]]:
                    self.assertEqual(answer["result"]["value"], [])
                else:
                    self.assertEqual(answer.get("error", {}).get("code"), -32602, (method, params))

    def test_transactions_that_are_none(self):
        for packet in (b"", b"\0", b"\1" + b"\0" * 64, os.urandom(200), os.urandom(1232),
                       b"\xff" * 1232, b"\1" + b"\0" * 64 + b"\x80" + b"\xff" * 100):
            answer = self.validator.call("sendTransaction", base64.b64encode(packet).decode(),
                                         {"encoding": "base64"})
            self.assertIn(answer["error"]["code"], (-32602, -32002, -32003), packet[:8])
        too_long = base64.b64encode(os.urandom(1233)).decode()
        answer = self.validator.call("sendTransaction", too_long, {"encoding": "base64"})
        self.assertEqual(answer["error"]["code"], -32602)


class HostileWebSocket(Shared):
    def websocket(self):
        websocket = WebSocket(self.validator)
        self.addCleanup(websocket.socket.close)
        return websocket

    def test_both_ports_take_websockets(self):
        for offset in (0, 1):
            with WebSocket(self.validator, offset) as websocket:
                self.assertEqual(websocket.call("getHealth")["result"], "ok")

    def test_wrong_frames_close(self):
        frame = WebSocket.frame
        for name, data in {
            "reserved bits": frame(b"{}", reserved=7),
            "unknown opcode": frame(b"{}", opcode=5),
            "long control frame": frame(b"p" * 126, opcode=PING),
            "control frame in parts": frame(b"p", opcode=PING, final=False),
            "continues nothing": frame(b"{}", opcode=0),
            "length beyond any": b"\x81\xff" + b"\xff" * 8 + b"abcd",
        }.items():
            with self.subTest(name):
                websocket = self.websocket()
                websocket.send(data)
                self.assertTrue(websocket.is_refused(), name)

    def test_message_beyond_limit_closes(self):
        websocket = self.websocket()
        try:
            websocket.send_text(b"[" + b" " * (BODY_MAX + 10))
        except ConnectionError:
            return
        self.assertTrue(websocket.is_refused())

    def test_text_that_is_no_utf8(self):
        websocket = self.websocket()
        websocket.send_text(b'{"jsonrpc":"2.0","id":1,"method":"\xff\xfe"}')
        try:
            self.assertEqual(websocket.receive_message()["error"]["code"], -32700)
        except ConnectionError:
            pass  # closing is what the protocol asks for

    def test_message_in_many_parts(self):
        websocket = self.websocket()
        text = b'{"jsonrpc":"2.0","id":77,"method":"getHealth"}'
        for i in range(len(text)):
            websocket.send(WebSocket.frame(text[i : i + 1], opcode=1 if i == 0 else 0,
                                           final=i + 1 == len(text)))
            if i == 10:
                websocket.send(WebSocket.frame(b"between", opcode=PING))
        opcode, payload = websocket.receive()
        self.assertEqual((opcode, payload), (PONG, b"between"))
        self.assertEqual(websocket.receive_message(), {"jsonrpc": "2.0", "id": 77, "result": "ok"})

    def test_binary_message_and_empty_message(self):
        websocket = self.websocket()
        websocket.send(WebSocket.frame(b"\xff\x00", opcode=BINARY))
        self.assertEqual(websocket.receive_message()["error"]["code"], -32700)
        websocket.send_text(b"")
        self.assertEqual(websocket.call("getHealth")["result"], "ok")

    def test_subscriptions_are_limited_and_can_be_had_again(self):
        websocket = self.websocket()
        ids = [websocket.call("accountSubscribe", random_key(), number=i)["result"]
               for i in range(SUBSCRIPTIONS_MAX)]
        self.assertEqual(len(set(ids)), SUBSCRIPTIONS_MAX)
        self.assertEqual(websocket.call("slotSubscribe", number=98)["error"]["code"], -32602)
        self.assertTrue(websocket.call("accountUnsubscribe", ids[0], number=99)["result"])
        self.assertFalse("result" in websocket.call("accountUnsubscribe", ids[0], number=100)
                         and websocket.call("accountUnsubscribe", ids[0], number=101)["result"])
        self.assertIn("result", websocket.call("slotSubscribe", number=102))

    def test_subscriptions_go_with_their_connection(self):
        before = self.validator.metric("erx_subscriptions")
        for _ in range(10):
            with WebSocket(self.validator) as websocket:
                for i in range(SUBSCRIPTIONS_MAX):
                    websocket.call("accountSubscribe", random_key(), number=i)
        until("subscriptions are gone",
              lambda: self.validator.metric("erx_subscriptions") == before)

    def test_many_requests_at_once_are_all_answered(self):
        websocket = self.websocket()
        count = 2000

        def send():
            for i in range(count):
                websocket.send_text(json.dumps(
                    {"jsonrpc": "2.0", "id": i, "method": "getVersion"}))

        sender = threading.Thread(target=send)
        sender.start()
        ids = [websocket.receive_message()["id"] for _ in range(count)]
        sender.join()
        self.assertEqual(ids, list(range(count)))

    def test_subscribing_over_http_is_no_method(self):
        self.assertEqual(self.validator.call("slotSubscribe")["error"]["code"], -32601)

    def test_close_frame_is_answered(self):
        websocket = self.websocket()
        websocket.send(WebSocket.frame(b"\x03\xe8", opcode=CLOSE))
        self.assertTrue(websocket.is_refused())


class Crowd(Shared):
    """What many clients, or slow ones, do to a validator that plays."""

    settings = ("log_level=error", "workers=1", "sessions_max=8", "connections_max=1400",
                "notifications_queued_max=8")
    bots = 1

    def frames(self):
        return self.validator.metric("erx_frames_total")

    def assert_frames_continue(self):
        before = self.frames()
        until("frames continue", lambda: self.frames() > before + 20)

    def test_idle_connections(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = IDLE_CONNECTIONS + 100
        if hard != resource.RLIM_INFINITY and hard < 2 * wanted:
            self.skipTest(f"ulimit -Hn is {hard}: {IDLE_CONNECTIONS} connections need {2 * wanted}")
        if soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        idle = [self.validator.connect() for _ in range(IDLE_CONNECTIONS)]
        until("they are counted",
              lambda: self.validator.metric("erx_connections") >= IDLE_CONNECTIONS)
        self.assertEqual(self.validator.result("getHealth"), "ok")
        self.assert_frames_continue()
        for connection in idle:
            connection.close()
        until("they are gone", lambda: self.validator.metric("erx_connections") < 50)

    def test_connections_beyond_limit_are_refused(self):
        with_limit = Validator(ERX, MODEL, "connections_max=16", "log_level=error", "workers=1")
        self.addCleanup(with_limit.remove)
        held = [with_limit.connect() for _ in range(40)]
        closed = sum(self.is_closed(connection) for connection in held)
        self.assertGreaterEqual(closed, 20)
        for connection in held:
            connection.close()
        until("others are served again", lambda: self.health_of(with_limit) == 200)
        self.assertGreater(with_limit.metric("erx_connections_refused_total"), 0)

    @staticmethod
    def health_of(validator):
        try:
            return validator.get("/health")[0]
        except (ConnectionError, OSError):
            return 0

    @staticmethod
    def is_closed(connection):
        connection.settimeout(0.2)
        try:
            return connection.recv(1) == b""
        except (socket.timeout, TimeoutError):
            return False
        except ConnectionError:
            return True

    def largest_account_that_changes(self):
        spaces = {}
        with WebSocket(self.validator) as websocket:
            websocket.call("programSubscribe", WORLD, {
                "encoding": "base64", "commitment": "processed",
                "dataSlice": {"offset": 0, "length": 0}})
            for _ in range(12):
                entry = websocket.receive_message()["params"]["result"]["value"]
                spaces[entry["pubkey"]] = entry["account"]["space"]
        return max(spaces, key=spaces.get)

    def test_slow_reader_gets_the_newest_state(self):
        key = self.largest_account_that_changes()
        websocket = WebSocket(self.validator)
        self.addCleanup(websocket.socket.close)
        websocket.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        options = {"encoding": "base64", "commitment": "processed"}
        watched = websocket.call("accountSubscribe", key, options)["result"]
        for i in range(400):
            websocket.call("accountSubscribe", key, options, number=10 + i)
        dropped = "erx_notifications_dropped_total"
        until("notifications make way", lambda: self.validator.metric(dropped) > 10000, 60)
        resumed = self.validator.result("getSlot", {"commitment": "processed"})
        slots = []
        while not slots or slots[-1] < resumed:
            told = websocket.receive_message()["params"]
            if told["subscription"] == watched:
                slots.append(told["result"]["context"]["slot"])
        self.assertEqual(slots, sorted(set(slots)))
        self.assertLess(len(slots), slots[-1] - slots[0] + 1, "some were left out")
        metrics = Metrics(self.validator.get("/metrics")[1].decode())
        dropped_by = metrics.samples["erx_subscription_dropped_total"]
        self.assertTrue([value for value in dropped_by.values() if value > 0])
        self.assert_frames_continue()

    def test_flood_of_bad_signatures(self):
        """Frames go on, and the node answers, while many threads send packets
        whose signatures are wrong."""
        stopped = threading.Event()
        answers = []
        threads = [threading.Thread(target=self.flood, args=(stopped, answers)) for _ in range(4)]
        missed, frames = (self.validator.metric(name)
                          for name in ("erx_ticks_missed_total", "erx_frames_total"))
        for thread in threads:
            thread.start()
        time.sleep(3)
        self.assertEqual(self.validator.result("getHealth"), "ok")
        stopped.set()
        for thread in threads:
            thread.join()
        missed = self.validator.metric("erx_ticks_missed_total") - missed
        frames = self.validator.metric("erx_frames_total") - frames
        self.assertGreater(len(answers), 50)
        self.assertEqual(set(answers), {-32003})
        print(f"flood: {len(answers)} packets, {frames:.0f} frames, {missed:.0f} ticks missed")
        self.assertGreater(frames, 20)

    def flood(self, stopped, answers):
        blockhash = self.validator.result("getLatestBlockhash")["value"]["blockhash"]
        raw = self.from_base58(blockhash)
        with Http(self.validator) as http:
            while not stopped.is_set():
                batch = []
                for i in range(16):
                    keys = os.urandom(32) + os.urandom(32) + bytes(32)
                    message = b"\1\0\1\3" + keys + raw + b"\1\2\2\0\1\x0c\2\0\0\0" + os.urandom(8)
                    packet = base64.b64encode(b"\1" + os.urandom(64) + message).decode()
                    batch.append({"jsonrpc": "2.0", "id": i, "method": "sendTransaction",
                                  "params": [packet, {"encoding": "base64"}]})
                _, body = http.post(json.dumps(batch).encode())
                answers += [answer["error"]["code"] for answer in json.loads(body)]

    @staticmethod
    def from_base58(text):
        number = 0
        for character in text:
            number = number * 58 + BASE58.index(character)
        return number.to_bytes(32, "big")

    def test_metrics_are_prometheus_text(self):
        metrics = Metrics(self.validator.get("/metrics")[1].decode())
        self.assertEqual(metrics.faults, [])
        self.assertGreater(metrics.value("erx_slot"), 0)
        self.assertGreater(metrics.value("erx_frames_total"), 0)
        self.assertEqual(metrics.value("erx_sessions_active"), 1)
        self.assertGreater(metrics.value("erx_frame_seconds_count"), 0)


class Lives(unittest.TestCase):
    """Starts and ends of the process."""

    def validator(self, *settings, bots=0):
        validator = Validator(ERX, MODEL, "log_level=error", "workers=1", "sessions_max=8",
                              *settings, bots=bots)
        self.addCleanup(validator.remove)
        return validator

    def fund(self, validator, lamports):
        key = random_key()
        signature = validator.result("requestAirdrop", key, lamports)
        until("the airdrop is durable", lambda: validator.result(
            "getSignatureStatuses", [signature])["value"][0]["confirmationStatus"] == "finalized")
        return key

    def sessions(self, validator):
        accounts = validator.result("getProgramAccounts", WORLD, {
            "encoding": "base64", "dataSlice": {"offset": 0, "length": 0}})
        return sorted(entry["pubkey"] for entry in accounts)

    def test_kill_loses_nothing_that_was_confirmed(self):
        validator = self.validator(bots=2)
        key = self.fund(validator, 123456789)
        before = self.sessions(validator)
        slot = validator.result("getSlot", {"commitment": "finalized"})
        for _ in range(2):
            validator.restart_after_kill()
            self.assertEqual(validator.result("getBalance", key)["value"], 123456789)
            self.assertEqual(self.sessions(validator), before)
            self.assertGreaterEqual(validator.result("getSlot", {"commitment": "finalized"}), slot)
        frames = validator.metric("erx_frames_total")
        until("sessions are played on",
              lambda: validator.metric("erx_frames_total") > frames + 10)

    def test_signals_end_it_in_order(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            validator = self.validator(bots=1)
            key = self.fund(validator, 5)
            self.assertEqual(validator.end(number), 0, validator.messages())
            validator.start()
            self.assertEqual(validator.result("getBalance", key)["value"], 5)

    def test_ends_in_order_with_clients_connected(self):
        validator = self.validator(bots=1)
        with WebSocket(validator) as websocket, Http(validator) as half:
            websocket.call("slotSubscribe")
            half.send(b"POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\n{")
            self.assertEqual(validator.end(signal.SIGTERM), 0, validator.messages())

    def run_refused(self, *arguments):
        run = subprocess.run([ERX, "serve", *map(str, arguments)], capture_output=True, timeout=60,
                             check=False)
        self.assertIn(run.returncode, (1, 2), run)
        last = run.stderr.decode().strip().split("\n")[-1]
        return last if "serve:" in last else run.stderr.decode()

    def test_second_instance_is_refused(self):
        validator = self.validator()
        message = self.run_refused("--model", MODEL, "--data", validator.data, "--listen",
                                   "127.0.0.1:0", "--set", "workers=1", "--seconds", "2")
        self.assertIn(str(validator.data), message)
        self.assertEqual(validator.result("getHealth"), "ok")

    def test_port_in_use_is_named(self):
        validator = self.validator()
        message = self.run_refused("--model", MODEL, "--data", validator.directory / "other",
                                   "--listen", f"127.0.0.1:{validator.port}", "--seconds", "2",
                                   "--set", "workers=1")
        self.assertIn(str(validator.port), message)
        self.assertIn("in use", message)

    def test_places_that_cannot_be(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "file").write_text("no directory")
            listen = ("--listen", "127.0.0.1:0", "--seconds", "1", "--set", "workers=1")
            message = self.run_refused("--model", folder / "none", "--data", folder / "a", *listen)
            self.assertIn("none", message)
            message = self.run_refused("--model", MODEL, "--data", folder / "file", *listen)
            self.assertIn(str(folder / "file"), message)
            message = self.run_refused("--model", MODEL, "--data", folder / "file" / "x", *listen)
            self.assertIn(str(folder / "file"), message)
            message = self.run_refused("--model", MODEL, "--data", folder / "b", "--config",
                                       folder / "no.conf", *listen)
            self.assertIn("no.conf", message)
            (folder / "bad.conf").write_text("tick_rate = 60\nunheard_of = 1\n")
            message = self.run_refused("--config", folder / "bad.conf")
            self.assertIn("bad.conf:2", message)
            (folder / "key.json").write_text("[1,2,3]")
            message = self.run_refused("--model", MODEL, "--data", folder / "c", "--set",
                                       f"identity={folder / 'key.json'}", *listen)
            self.assertIn("key.json", message)

    def test_damaged_identity_is_named(self):
        validator = self.validator()
        self.assertEqual(validator.end(signal.SIGTERM), 0)
        (validator.data / "validator" / "identity.json").write_text("{}")
        message = self.run_refused("--model", MODEL, "--data", validator.data, "--listen",
                                   "127.0.0.1:0", "--set", "workers=1", "--seconds", "1")
        self.assertIn("identity.json", message)


if __name__ == "__main__":
    ERX, MODEL = sys.argv[1:3]
    unittest.main(argv=[sys.argv[0]] + sys.argv[3:])
