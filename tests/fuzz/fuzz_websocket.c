/* What follows a WebSocket's handshake. After the first byte: 'R' the bytes as
 * they are, else frames, each a first byte, a length and a payload, that are
 * masked as the protocol wants it. */
#include "mem/base.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/node_fuzz.h"

#include <string.h>

#define SILENCE_MS    1
#define PAYLOAD_MAX   125u /* what one length byte says */
#define FRAME_HEADER  6u
#define HANDSHAKE_MS  1000
#define RAW           'R'
#define ANSWER_MARKER "101"

static const char handshake[] = "GET / HTTP/1.1\r\nHost: fuzz\r\nUpgrade: websocket\r\n"
                                "Connection: Upgrade\r\nSec-WebSocket-Key: "
                                "dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

static void send_frames(int connection, const uint8_t *data, size_t size)
{
    while (size >= 2) {
        uint8_t frame[FRAME_HEADER + PAYLOAD_MAX] = {data[0]};
        size_t payload = ERX_MIN((size_t)data[1] % (PAYLOAD_MAX + 1), size - 2);
        frame[1] = (uint8_t)(0x80u | payload); /* the mask stays zero */
        memcpy(frame + FRAME_HEADER, data + 2, payload);
        node_fuzz_send(connection, frame, FRAME_HEADER + payload);
        data += 2 + payload;
        size -= 2 + payload;
    }
}

static void shake_hands(int connection)
{
    uint8_t answer[1024];
    size_t size = 0;
    node_fuzz_send(connection, handshake, sizeof handshake - 1);
    while (memmem(answer, size, "\r\n\r\n", 4) == NULL) {
        size_t got = node_fuzz_receive(connection, answer + size, 1, HANDSHAKE_MS);
        ERX_ASSERT(got == 1 && size + got < sizeof answer);
        size += got;
    }
    ERX_ASSERT(memmem(answer, size, ANSWER_MARKER, sizeof ANSWER_MARKER - 1) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t answer[NODE_FUZZ_ANSWER_MAX];
    if (size == 0)
        return 0;
    node_fuzz_open();
    int connection = node_fuzz_connect();
    shake_hands(connection);
    if (data[0] == RAW)
        node_fuzz_send(connection, data + 1, size - 1);
    else
        send_frames(connection, data + 1, size - 1);
    node_fuzz_seal(); /* subscriptions that were made have something to tell */
    (void)node_fuzz_receive(connection, answer, sizeof answer, SILENCE_MS);
    node_fuzz_close(connection);
    node_fuzz_check();
    return 0;
}
