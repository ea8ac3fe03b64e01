/* A bank for world_anchor.js: executes the transactions that a client's library
 * makes. A line of standard input is a request, a line of standard output its
 * answer.
 *
 *   blockhash          -> BLOCKHASH
 *   model              -> DIRECTORY MODEL-ID, of the model that is loaded
 *   run PACKET         -> "ok" or "failed", a tab, log lines with tabs between
 *   account KEY        -> DATA, or "none"
 * *   seal               -> "sealed": the block ends, the next one begins
 *
 * Keys are base58, packets and data hexadecimal. Signatures are verified. */
#include "engine/sha256.h"
#include "engine/transaction/verify.h"
#include "mem/assert.h"
#include "tests/engine/bank/bank_rig.h"

#include <stdio.h>
#include <string.h>

#define LINE_BYTES (2 * ERX_PACKET_BYTES_MAX + 64)

static bank_rig_t rig;

static void answer_run(const char *text)
{
    static uint8_t packet[ERX_PACKET_BYTES_MAX];
    size_t bytes = strlen(text) / 2;
    ERX_ASSERT(bytes <= sizeof packet);
    for (size_t i = 0; i < bytes; i++)
        ERX_ASSERT(sscanf(text + 2 * i, "%2hhx", &packet[i]) == 1);
    erx_intake_item_t item = {.packet = packet, .bytes = (uint32_t)bytes};
    erx_bank_outcome_t outcome;
    erx_error_t error;
    item.fault = erx_message_parse(packet, bytes, &item.message);
    item.error = erx_message_fault_error(item.fault);
    if (item.error == ERX_TRANSACTION_OK && !erx_verify_message(&item.message))
        item.error = ERX_TRANSACTION_SIGNATURE_FAILURE;
    const erx_sha256_part_t part = {packet + item.message.message_offset,
                                    bytes - item.message.message_offset};
    ERX_ASSERT(erx_sha256(&part, 1, item.message_hash.bytes, &error) == ERX_OK);
    erx_status_t status = erx_bank_process(rig.bank, &item, &outcome, &error);
    if (status == ERX_ERR_FULL) {
        bank_rig_seal(&rig);
        status = erx_bank_process(rig.bank, &item, &outcome, &error);
    }
    ERX_ASSERT(status == ERX_OK);
    printf("%s", outcome.result.error == ERX_TRANSACTION_OK ? "ok" : "failed");
    if (outcome.log_count == 0)
        printf("\t%s", erx_transaction_error_name(outcome.result.error));
    for (uint32_t i = 0; i < outcome.log_count; i++)
        printf("\t%s", outcome.logs[i]);
    printf("\n");
}

static void answer_account(const char *text)
{
    erx_key_t key;
    uint8_t byte;
    ERX_ASSERT(erx_key_parse(text, &key));
    uint32_t index = erx_bank_find(rig.bank, &key);
    if (index == ERX_ACCOUNT_NONE) {
        printf("none\n");
        return;
    }
    for (uint32_t i = 0; erx_bank_read(rig.bank, index, i, &byte, 1) == 1; i++)
        printf("%02x", byte);
    printf("\n");
}

static void answer(const char *request, const char *argument)
{
    char text[ERX_KEY_TEXT_MAX];
    if (strcmp(request, "run") == 0) {
        answer_run(argument);
    } else if (strcmp(request, "account") == 0) {
        answer_account(argument);
    } else if (strcmp(request, "seal") == 0) {
        bank_rig_seal(&rig);
        printf("sealed\n");
    } else if (strcmp(request, "model") == 0) {
        printf("%s %u\n", rig.directory, RIG_MODEL_ID);
    } else {
        erx_key_text(erx_blockhash_latest(rig.blockhashes), text);
        printf("%s\n", text);
    }
    (void)fflush(stdout);
}

int main(void)
{
    static char line[LINE_BYTES];
    bank_rig_open(&rig, NULL);
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        char *rest = line;
        const char *request = strsep(&rest, " ");
        answer(request, rest == NULL ? "" : rest);
    }
    bank_rig_close(&rig);
    return 0;
}
