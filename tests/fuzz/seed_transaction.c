/* Writes the seeds of fuzz_transaction into the files named on the command
 * line: a legacy packet, a version 0 packet with its lookup table, a text. */
#include "mem/assert.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/file.h"
#include "tests/support/transaction_plan.h"

#include <stdio.h>
#include <string.h>

#define TABLE_BYTES (56u + 5 * ERX_KEY_BYTES)

int main(int argc, char **argv)
{
    static uint8_t input[2 + TABLE_BYTES + ERX_PLAN_BYTES_MAX];
    static const char text[] = "WrLd111111111111111111111111111111111111111";
    ERX_ASSERT(argc == 4);
    erx_plan_t plan = erx_plan_legacy();
    input[0] = ERX_FUZZ_TRANSACTION_PACKET;
    erx_file_write(argv[1], input, 1 + erx_plan_write(&plan, input + 1));

    memset(input, 0, sizeof input);
    plan = erx_plan_v0();
    input[0] = ERX_FUZZ_TRANSACTION_TABLE;
    input[1] = TABLE_BYTES / 8;
    uint8_t *table = input + 2;
    table[0] = 1;
    memset(table + 4, 0xff, 8);
    for (uint8_t i = 0; i < 5; i++)
        memset(table + 56 + i * ERX_KEY_BYTES, 10 + i, ERX_KEY_BYTES);
    erx_file_write(argv[2], input, 2 + TABLE_BYTES + erx_plan_write(&plan, table + TABLE_BYTES));

    input[0] = ERX_FUZZ_TRANSACTION_TEXT;
    memcpy(input + 1, text, sizeof text - 1);
    erx_file_write(argv[3], input, sizeof text);
    return 0;
}
