/* Bytes on a new connection: HTTP, or anything else. */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/node_fuzz.h"

#define SILENCE_MS 1

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t answer[NODE_FUZZ_ANSWER_MAX];
    node_fuzz_open();
    int connection = node_fuzz_connect();
    size_t half = size / 2; /* two packets: a request may begin in one and end in the other */
    node_fuzz_send(connection, data, half);
    node_fuzz_send(connection, data + half, size - half);
    (void)node_fuzz_receive(connection, answer, sizeof answer, SILENCE_MS);
    node_fuzz_close(connection);
    node_fuzz_check();
    return 0;
}
