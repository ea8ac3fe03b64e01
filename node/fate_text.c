/* Words for the fates of transactions: what clients match and people read. */
#include "node/transaction_json.h"

#include <stdio.h>

/* By erx_tx_code_t. */
static const char *const transaction_texts[] = {
    [2] = "Account loaded twice",
    [3] = "Attempt to debit an account but found no record of a prior credit.",
    [4] = "Attempt to load a program that does not exist",
    [5] = "Insufficient funds for fee",
    [6] = "This account may not be used to pay transaction fees",
    [7] = "This transaction has already been processed",
    [8] = "Blockhash not found",
    [12] = "Transaction contains an invalid account reference",
    [13] = "Transaction did not pass signature verification",
    [15] = "Transaction failed to sanitize accounts offsets correctly",
    [18] = "Transaction would exceed max Block Cost Limit",
    [19] = "Transaction version is unsupported",
    [20] = "Transaction loads a writable account that cannot be written",
    [23] = "Transaction locked too many accounts",
    [24] = "Transaction loads an address table account that doesn't exist",
    [25] = "Transaction loads an address table account with an invalid owner",
    [26] = "Transaction loads an address table account with invalid data",
    [27] = "Transaction address table lookup uses an invalid index",
    [33] = "Transaction exceeded max loaded accounts data size cap",
    [34] = "LoadedAccountsDataSizeLimit set for transaction must be greater than 0.",
};

/* By erx_ix_code_t. */
static const char *const instruction_texts[] = {
    "generic instruction error",
    "invalid program argument",
    "invalid instruction data",
    "invalid account data for instruction",
    "account data too small for instruction",
    "insufficient funds for instruction",
    "incorrect program id for instruction",
    "missing required signature for instruction",
    "instruction requires an uninitialized account",
    "instruction requires an initialized account",
    "sum of account balances before and after instruction do not match",
    "instruction illegally modified the program id of an account",
    "instruction spent from the balance of an account it does not own",
    "instruction modified data of an account it does not own",
    "instruction changed the balance of a read-only account",
    "instruction modified data of a read-only account",
    "instruction contains duplicate accounts",
    "instruction changed executable bit of an account",
    "instruction modified rent epoch of an account",
    "insufficient account keys for instruction",
    "program other than the account's owner changed the size of the account data",
    "instruction expected an executable account",
    "instruction tries to borrow reference for an account which is already borrowed",
    "instruction left account with an outstanding borrowed reference",
    "instruction modifications of multiply-passed account differ",
    "custom program error",
    "program returned invalid error code",
    "instruction changed executable accounts data",
    "instruction changed the balance of an executable account",
    "executable accounts must be rent exempt",
    "Unsupported program id",
    "Cross-program invocation call depth too deep",
    "An account required by the instruction is missing",
    "Cross-program invocation reentrancy not allowed for this instruction",
    "Length of the seed is too long for address generation",
    "Provided seeds do not result in a valid address",
    "Failed to reallocate account data",
    "Computational budget exceeded",
    "Cross-program invocation with unauthorized signer or writable account",
    "Failed to create program execution environment",
    "Program failed to complete",
    "Program failed to compile",
    "Account is immutable",
    "Incorrect authority provided",
    "Failed to serialize or deserialize account data",
    "An account does not have enough lamports to be rent-exempt",
    "Invalid account owner",
    "Program arithmetic overflowed",
    "Unsupported sysvar",
    "Provided owner is not allowed",
    "Accounts data allocations exceeded the maximum allowed per transaction",
    "Max accounts exceeded",
    "Max instruction trace length exceeded",
    "Builtin programs must consume compute units",
};

static const char *text_of(const char *const *texts, size_t count, int32_t code,
                           const char *fallback)
{
    bool is_known = code >= 0 && (size_t)code < count && texts[code] != NULL;
    return is_known ? texts[code] : fallback;
}

void erx_fate_text(erx_transaction_fate_t fate, char text_out[ERX_TRANSACTION_TEXT_MAX])
{
    if (fate.code == ERX_TX_DUPLICATE_INSTRUCTION) {
        (void)snprintf(text_out, ERX_TRANSACTION_TEXT_MAX,
                       "Transaction contains a duplicate instruction (%u) that is not allowed",
                       fate.instruction_index);
        return;
    }
    if (fate.code != ERX_TX_INSTRUCTION_ERROR) {
        (void)snprintf(text_out, ERX_TRANSACTION_TEXT_MAX, "%s",
                       text_of(transaction_texts, ERX_ARRAY_COUNT(transaction_texts), fate.code,
                               erx_tx_code_name(fate.code)));
        return;
    }
    char custom[16] = "";
    if (fate.instruction_code == ERX_IX_CUSTOM)
        (void)snprintf(custom, sizeof custom, ": 0x%x", fate.instruction_custom);
    (void)snprintf(text_out, ERX_TRANSACTION_TEXT_MAX, "Error processing Instruction %u: %s%s",
                   fate.instruction_index,
                   text_of(instruction_texts, ERX_ARRAY_COUNT(instruction_texts),
                           fate.instruction_code, erx_ix_code_name(fate.instruction_code)),
                   custom);
}

erx_transaction_fate_t erx_outcome_fate(const erx_transaction_outcome_t *outcome)
{
    return (erx_transaction_fate_t){outcome->code, outcome->instruction_index,
                                    outcome->instruction_code, outcome->instruction_custom};
}

void erx_fate_json(erx_json_writer_t *writer, erx_transaction_fate_t fate)
{
    if (fate.code == ERX_TX_OK) {
        erx_json_null(writer);
        return;
    }
    if (fate.code != ERX_TX_INSTRUCTION_ERROR && fate.code != ERX_TX_DUPLICATE_INSTRUCTION) {
        erx_json_text(writer, erx_tx_code_name(fate.code));
        return;
    }
    erx_json_object_begin(writer);
    erx_json_key(writer, erx_tx_code_name(fate.code));
    if (fate.code == ERX_TX_DUPLICATE_INSTRUCTION) {
        erx_json_unsigned(writer, fate.instruction_index);
    } else {
        erx_json_array_begin(writer);
        erx_json_unsigned(writer, fate.instruction_index);
        if (fate.instruction_code == ERX_IX_CUSTOM) {
            erx_json_object_begin(writer);
            erx_json_put_unsigned(writer, "Custom", fate.instruction_custom);
            erx_json_object_end(writer);
        } else {
            erx_json_text(writer, erx_ix_code_name(fate.instruction_code));
        }
        erx_json_array_end(writer);
    }
    erx_json_object_end(writer);
}

void erx_fate_status_json(erx_json_writer_t *writer, erx_transaction_fate_t fate)
{
    erx_json_object_begin(writer);
    erx_json_key(writer, fate.code == ERX_TX_OK ? "Ok" : "Err");
    erx_fate_json(writer, fate);
    erx_json_object_end(writer);
}
