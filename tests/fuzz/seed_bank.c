/* Writes inputs of fuzz_bank: a session that is played, and a model that is
 * uploaded.
 *
 *   usage: seed_bank SESSION.seed MODEL.seed */
#include "mem/assert.h"
#include "tests/support/file.h"

#include <stdio.h>

/* A transaction of one instruction: first byte, choice, value, no spoils. */
#define CALL(number, wallet, value)     0, (wallet)*16 + (number), value, 0
#define TRANSFER(wallet, to, amount)    0, (wallet)*16 + 12, to, amount, 0
#define SIMULATE(number, wallet, value) 6, (wallet)*16 + (number), value, 0
#define SEAL                            7

static const uint8_t session[] = {
    CALL(0, 0, 0), /* create */
    CALL(1, 1, 2), /* join */
    CALL(2, 0, 8), /* inputs */
    CALL(2, 1, 8),
    CALL(3, 0, 0), /* a frame */
    CALL(2, 0, 10),
    CALL(2, 1, 10),
    CALL(4, 0, 1), /* layers 0, then 1 and 2 */
    CALL(4, 0, 16 + 2),
    SEAL,
    TRANSFER(0, 2, 50),
    SIMULATE(0, 2, 130), /* of another session's creation */
    CALL(0, 2, 130),
    CALL(5, 1, 0), /* close */
    SEAL,
};

static const uint8_t model[] = {
    CALL(6, 0, 0),   CALL(7, 0, 0),  CALL(7, 0, 120), CALL(9, 0, 0), CALL(10, 0, 0),
    CALL(10, 0, 20), CALL(10, 0, 0), CALL(11, 0, 1),  CALL(8, 0, 1), SEAL,
};

int main(int argument_count, char **arguments)
{
    ERX_ASSERT(argument_count == 3);
    erx_file_write(arguments[1], session, sizeof session);
    erx_file_write(arguments[2], model, sizeof model);
    return 0;
}
