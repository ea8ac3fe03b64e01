"""A validator of a test's own, and raw clients that may break every rule."""

import base64
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

START_SECONDS = 60
ANSWER_SECONDS = 20
STOP_SECONDS = 60
MASK = b"\x5a\xa5\x3c\xc3"

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class Validator:
    """`erx serve` on free ports. The directory is removed by remove()."""

    def __init__(self, erx, model, *settings, bots=0):
        self.erx = erx
        self.model = model
        self.settings = settings
        self.bots = bots
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="erx-node-"))
        self.data = self.directory / "data"
        self.process = None
        self.start()

    def command(self):
        sets = [word for setting in self.settings for word in ("--set", setting)]
        return [self.erx, "serve", "--model", self.model, "--data", str(self.data), "--listen",
                "127.0.0.1:0", "--bots", str(self.bots), *sets]

    def start(self):
        self.log = open(self.directory / "log", "ab")
        self.process = subprocess.Popen(self.command(), stdout=subprocess.PIPE, stderr=self.log)
        os.set_blocking(self.process.stdout.fileno(), False)
        output = b""
        end = time.monotonic() + START_SECONDS
        while b"WebSocket" not in output:
            output += self.process.stdout.read() or b""
            if self.process.poll() is not None or time.monotonic() > end:
                raise AssertionError(f"no validator: {self.messages()}")
            time.sleep(0.01)
        self.port = int(re.search(rb"JSON-RPC +http://127.0.0.1:(\d+)", output).group(1))

    def messages(self):
        return (self.directory / "log").read_text(errors="replace")[-4000:]

    def is_alive(self):
        return self.process.poll() is None

    def end(self, number):
        """Sends a signal and returns the exit status."""
        self.process.send_signal(number)
        status = self.process.wait(STOP_SECONDS)
        self.process.stdout.close()
        self.log.close()
        return status

    def restart_after_kill(self):
        self.end(signal.SIGKILL)
        self.start()

    def remove(self):
        if self.is_alive():
            self.end(signal.SIGKILL)
        shutil.rmtree(self.directory)

    # What well-behaved clients do.

    def connect(self, port_offset=0):
        return socket.create_connection(("127.0.0.1", self.port + port_offset), ANSWER_SECONDS)

    def get(self, path):
        with Http(self) as http:
            return http.exchange(f"GET {path} HTTP/1.1\r\nHost: erx\r\n\r\n".encode())

    def post(self, body):
        """Posts bytes; returns the status and the body."""
        with Http(self) as http:
            return http.post(body)

    def call(self, method, *params):
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        status, body = self.post(json.dumps(request).encode())
        if status != 200:
            raise AssertionError(f"{method}: HTTP {status} {body[:200]!r}")
        return json.loads(body)

    def result(self, method, *params):
        answer = self.call(method, *params)
        if "result" not in answer:
            raise AssertionError(f"{method}: {answer}")
        return answer["result"]

    def metric(self, name):
        status, body = self.get("/metrics")
        assert status == 200
        found = re.search(rf"^{name} (\S+)$", body.decode(), re.MULTILINE)
        return float(found.group(1))


class Http:
    """A connection that sends anything and reads whole answers."""

    def __init__(self, validator):
        self.socket = validator.connect()
        self.buffered = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def _more(self):
        piece = self.socket.recv(65536)
        if not piece:
            raise ConnectionError("closed before the answer was whole")
        self.buffered += piece

    def answer(self):
        """Status and body of the next answer."""
        while b"\r\n\r\n" not in self.buffered:
            self._more()
        header, self.buffered = self.buffered.split(b"\r\n\r\n", 1)
        status = int(header.split(b" ", 2)[1])
        found = re.search(rb"\r\ncontent-length: *(\d+)", header, re.IGNORECASE)
        length = int(found.group(1)) if found else 0
        while len(self.buffered) < length:
            self._more()
        body, self.buffered = self.buffered[:length], self.buffered[length:]
        return status, body

    def exchange(self, data):
        self.send(data)
        return self.answer()

    def post(self, body, path="/"):
        header = f"POST {path} HTTP/1.1\r\nHost: erx\r\nContent-Type: application/json\r\n"
        header += f"Content-Length: {len(body)}\r\n\r\n"
        return self.exchange(header.encode() + body)

    def is_closed_within(self, seconds):
        """Whether the other side closes; what it sends before is dropped."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.socket.settimeout(max(0.01, end - time.monotonic()))
            try:
                if not self.socket.recv(65536):
                    return True
            except (socket.timeout, TimeoutError):
                return False
            except ConnectionError:
                return True
        return False


class WebSocket(Http):
    """A WebSocket; frames can be made wrong in every way."""

    def __init__(self, validator, port_offset=0):
        self.socket = validator.connect(port_offset)
        self.buffered = b""
        key = base64.b64encode(os.urandom(16)).decode()
        self.send(
            f"GET / HTTP/1.1\r\nHost: erx\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        while b"\r\n\r\n" not in self.buffered:
            self._more()
        header, self.buffered = self.buffered.split(b"\r\n\r\n", 1)
        if not header.startswith(b"HTTP/1.1 101"):
            raise ConnectionError(header[:100])

    @staticmethod
    def frame(payload, opcode=TEXT, final=True, reserved=0):
        length = len(payload)
        first = (0x80 if final else 0) | reserved << 4 | opcode
        if length < 126:
            header = struct.pack("!BB", first, 0x80 | length)
        elif length < 65536:
            header = struct.pack("!BBH", first, 0x80 | 126, length)
        else:
            header = struct.pack("!BBQ", first, 0x80 | 127, length)
        mask = (MASK * (length // 4 + 1))[:length]
        masked = int.from_bytes(payload, "big") ^ int.from_bytes(mask, "big")
        return header + MASK + masked.to_bytes(length, "big")

    def send_text(self, text):
        self.send(self.frame(text if isinstance(text, bytes) else text.encode()))

    def _take(self, count):
        while len(self.buffered) < count:
            self._more()
        part, self.buffered = self.buffered[:count], self.buffered[count:]
        return part

    def receive(self):
        """Opcode and payload of the next frame."""
        first, second = self._take(2)
        length = second & 0x7F
        if length == 126:
            (length,) = struct.unpack("!H", self._take(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", self._take(8))
        assert second & 0x80 == 0, "a server masks nothing"
        payload = self._take(length)
        if first & 0x80 == 0:
            opcode, rest = self.receive()
            assert opcode == 0, "a message continues"
            return first & 0x0F, payload + rest
        return first & 0x0F, payload

    def receive_message(self):
        """The next JSON message; pings are answered on the way."""
        while True:
            opcode, payload = self.receive()
            if opcode == TEXT:
                return json.loads(payload)
            if opcode == CLOSE:
                raise ConnectionError(f"closed: {payload!r}")
            if opcode == PING:
                self.send(self.frame(payload, PONG))

    def call(self, method, *params, number=1):
        """The answer to a request; notifications before it are dropped."""
        request = {"jsonrpc": "2.0", "id": number, "method": method, "params": list(params)}
        self.send_text(json.dumps(request))
        while True:
            message = self.receive_message()
            if message.get("id") == number:
                return message

    def is_refused(self, seconds=10):
        """Whether the other side sends a close frame or closes."""
        self.socket.settimeout(seconds)
        try:
            while True:
                if self.receive()[0] == CLOSE:
                    return True
        except (socket.timeout, TimeoutError):
            return False
        except ConnectionError:
            return True


def until(what, condition, seconds=ANSWER_SECONDS):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain: {what}")
        time.sleep(0.02)


BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def base58(data):
    number = int.from_bytes(data, "big")
    text = ""
    while number > 0:
        number, digit = divmod(number, 58)
        text = BASE58[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def random_key():
    return base58(os.urandom(32))
