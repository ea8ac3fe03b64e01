/* Bytes as the body of a JSON-RPC request: every method of the validator, over
 * a rollup with a session. Whatever comes, the answer is JSON. */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/node_fuzz.h"

#include <jansson.h>
#include <string.h>

#define BODY_MAX 16384u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t answer[NODE_FUZZ_ANSWER_MAX];
    if (size > BODY_MAX)
        return 0;
    node_fuzz_open();
    size_t answered = node_fuzz_post(data, size, answer);
    const uint8_t *end = memmem(answer, answered, "\r\n\r\n", 4);
    ERX_ASSERT(end != NULL);
    const char *body = (const char *)end + 4;
    size_t body_size = answered - (size_t)((const uint8_t *)body - answer);
    if (body_size == 0)
        return 0; /* a notification */
    json_error_t error;
    json_t *json = json_loadb(body, body_size, JSON_DECODE_ANY, &error);
    /* jansson reads no number beyond int64, which rentEpoch is. */
    ERX_ASSERT(json != NULL || json_error_code(&error) == json_error_numeric_overflow);
    json_decref(json);
    return 0;
}
