/* The validator's network over a small rollup, in the fuzzer's own process and
 * spoken to over loopback. What must hold fails an assertion. */
#ifndef ERX_TESTS_FUZZ_NODE_FUZZ_H
#define ERX_TESTS_FUZZ_NODE_FUZZ_H

#include "mem/assert.h"

#define NODE_FUZZ_ANSWER_MAX ((size_t)1 << 20)

/* Opens it, at the first call. */
void node_fuzz_open(void);

/* A new connection. */
int node_fuzz_connect(void);

/* Sends what the other side still takes: it may have closed. */
void node_fuzz_send(int connection, const void *bytes, size_t size);

/* What arrives before the other side is silent for a while (milliseconds) or
 * closes; returns its size. */
size_t node_fuzz_receive(int connection, uint8_t *bytes_out, size_t capacity, int silence_ms);

/* Seals a block and hands it to the network. */
void node_fuzz_seal(void);

/* Closes without waiting for the other side. */
void node_fuzz_close(int connection);

/* Posts a body and returns the size of the whole answer; blocks are sealed until
 * it is there. */
size_t node_fuzz_post(const uint8_t *body, size_t size, uint8_t *answer_out);

/* Everybody else is still served. */
void node_fuzz_check(void);

#endif
