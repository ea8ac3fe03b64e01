/* Says how the engine sees what transactions.js made with a client's library:
 * a line of standard input is a question, a line of standard output its answer.
 *
 *   address PROGRAM SEED...           -> ADDRESS BUMP
 *   create PROGRAM SEED...            -> ADDRESS, or "none" on the curve
 *   packet PACKET [TABLE-KEY TABLE]   -> VERSION SIGNATURES [KEY:FLAGS]...
 *                                        [PROGRAM:ACCOUNTS:DATA]...
 *
 * Keys are base58; seeds, packets, a table's data, accounts' indexes and data
 * are hexadecimal, "-" where they are empty. SIGNATURES is "good" or "bad",
 * FLAGS has s for a signer and w for a writable key. */
#include "engine/transaction/address.h"
#include "engine/transaction/verify.h"
#include "mem/assert.h"

#include <stdio.h>
#include <string.h>

#define LINE_BYTES  65536u
#define WORDS_MAX   20u
#define TABLE_BYTES 16384u

typedef struct {
    erx_key_t key;
    uint8_t data[TABLE_BYTES];
    size_t bytes;
} table_t;

static size_t read_hex(const char *text, uint8_t *bytes_out, size_t capacity)
{
    size_t size = strcmp(text, "-") == 0 ? 0 : strlen(text) / 2;
    ERX_ASSERT(size <= capacity);
    for (size_t i = 0; i < size; i++)
        ERX_ASSERT(sscanf(text + 2 * i, "%2hhx", &bytes_out[i]) == 1);
    return size;
}

static void print_hex(const uint8_t *bytes, size_t size)
{
    if (size == 0)
        printf("-");
    for (size_t i = 0; i < size; i++)
        printf("%02x", bytes[i]);
}

static void answer_address(char **words, size_t count, bool with_bump)
{
    uint8_t data[WORDS_MAX][ERX_ADDRESS_SEED_BYTES_MAX + 1];
    erx_address_seed_t seeds[WORDS_MAX];
    erx_key_t program, address;
    char text[ERX_KEY_TEXT_MAX];
    uint8_t bump = 0;
    erx_error_t error;
    ERX_ASSERT(erx_key_parse(words[1], &program));
    for (size_t i = 2; i < count; i++)
        seeds[i - 2] = (erx_address_seed_t){data[i], read_hex(words[i], data[i], sizeof data[i])};
    erx_status_t status =
        with_bump ? erx_address_find(seeds, count - 2, &program, &address, &bump, &error)
                  : erx_address_create(seeds, count - 2, &program, &address, &error);
    if (status == ERX_ERR_ARGUMENT) {
        printf("none\n");
        return;
    }
    ERX_ASSERT(status == ERX_OK);
    erx_key_text(&address, text);
    if (with_bump)
        printf("%s %u\n", text, bump);
    else
        printf("%s\n", text);
}

static bool find_table(void *context, const erx_key_t *key, erx_message_table_t *table_out)
{
    const table_t *table = context;
    *table_out = (erx_message_table_t){erx_key_address_lookup_table, table->data, table->bytes};
    return erx_key_equals(key, &table->key);
}

static void answer_packet(char **words, size_t count)
{
    static table_t table;
    uint8_t packet[ERX_PACKET_BYTES_MAX];
    size_t bytes = read_hex(words[1], packet, sizeof packet);
    if (count > 3) {
        ERX_ASSERT(erx_key_parse(words[2], &table.key));
        table.bytes = read_hex(words[3], table.data, sizeof table.data);
    }
    erx_message_t message;
    erx_message_keys_t keys;
    erx_message_fault_t fault = erx_message_parse(packet, bytes, &message);
    if (fault == ERX_MESSAGE_GOOD)
        fault = erx_message_resolve(&message, 1000, find_table, &table, &keys);
    if (fault != ERX_MESSAGE_GOOD) {
        printf("%s\n", erx_message_fault_text(fault));
        return;
    }
    printf("%s %s", message.version == ERX_MESSAGE_V0 ? "v0" : "legacy",
           erx_verify_message(&message) ? "good" : "bad");
    for (uint32_t i = 0; i < keys.count; i++) {
        char text[ERX_KEY_TEXT_MAX];
        erx_key_text(&keys.keys[i], text);
        printf(" %s:%s%s", text, keys.signers >> i & 1 ? "s" : "",
               keys.writable >> i & 1 ? "w" : "");
    }
    erx_message_cursor_t cursor = {0};
    erx_message_instruction_t instruction;
    while (erx_message_next(&message, &cursor, &instruction)) {
        printf(" %u:", instruction.program);
        print_hex(instruction.accounts, instruction.account_count);
        printf(":");
        print_hex(instruction.data, instruction.data_bytes);
    }
    printf("\n");
}

int main(void)
{
    static char line[LINE_BYTES];
    while (fgets(line, sizeof line, stdin) != NULL) {
        char *words[WORDS_MAX];
        size_t count = 0;
        char *rest = line;
        for (char *word; count < WORDS_MAX && (word = strsep(&rest, " \n")) != NULL;)
            if (*word != '\0')
                words[count++] = word;
        ERX_ASSERT(count >= 2);
        if (strcmp(words[0], "packet") == 0)
            answer_packet(words, count);
        else
            answer_address(words, count, strcmp(words[0], "address") == 0);
    }
    return 0;
}
