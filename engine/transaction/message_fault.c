#include "engine/transaction/message.h"

typedef struct {
    erx_transaction_error_t error;
    const char *text;
} fault_t;

static const fault_t faults[] = {
    [ERX_MESSAGE_GOOD] = {ERX_TRANSACTION_OK, "the transaction is well-formed"},
    [ERX_MESSAGE_TOO_LONG] = {ERX_TRANSACTION_SANITIZE_FAILURE,
                              "the transaction has more than 1232 bytes; split its instructions"},
    [ERX_MESSAGE_TRUNCATED] = {ERX_TRANSACTION_SANITIZE_FAILURE,
                               "the transaction ends inside a field; send all of its bytes"},
    [ERX_MESSAGE_COUNT_ENCODING] = {ERX_TRANSACTION_SANITIZE_FAILURE,
                                    "a count is not in its shortest form of at most 3 bytes"},
    [ERX_MESSAGE_VERSION] = {ERX_TRANSACTION_UNSUPPORTED_VERSION,
                             "the message's version is neither legacy nor 0"},
    [ERX_MESSAGE_TRAILING_BYTES] = {ERX_TRANSACTION_SANITIZE_FAILURE,
                                    "bytes follow the transaction's last field"},
    [ERX_MESSAGE_NO_SIGNATURE] = {ERX_TRANSACTION_SANITIZE_FAILURE,
                                  "the transaction has no signature; its payer must sign"},
    [ERX_MESSAGE_SIGNATURE_COUNT] = {ERX_TRANSACTION_SANITIZE_FAILURE,
                                     "the number of signatures is not the one that the message's "
                                     "header requires"},
    [ERX_MESSAGE_SIGNERS_OVER_KEYS] = {ERX_TRANSACTION_SANITIZE_FAILURE,
                                       "the header counts more signers and read-only keys than "
                                       "there are keys"},
    [ERX_MESSAGE_PAYER_READONLY] = {ERX_TRANSACTION_SANITIZE_FAILURE,
                                    "every signer is read-only; the first one pays and must be "
                                    "writable"},
    [ERX_MESSAGE_EMPTY_LOOKUP] = {ERX_TRANSACTION_SANITIZE_FAILURE,
                                  "a lookup takes no key from its table; leave it out"},
    [ERX_MESSAGE_KEYS_OVER_INDEX] = {ERX_TRANSACTION_SANITIZE_FAILURE,
                                     "more than 256 keys with those of lookup tables"},
    [ERX_MESSAGE_TOO_MANY_INSTRUCTIONS] = {ERX_TRANSACTION_SANITIZE_FAILURE,
                                           "more than 64 instructions; use several transactions"},
    [ERX_MESSAGE_PROGRAM_IS_PAYER] = {ERX_TRANSACTION_SANITIZE_FAILURE,
                                      "an instruction names the payer, key 0, as its program"},
    [ERX_MESSAGE_PROGRAM_INDEX] = {ERX_TRANSACTION_SANITIZE_FAILURE,
                                   "an instruction's program is not among the message's own keys"},
    [ERX_MESSAGE_ACCOUNT_INDEX] = {ERX_TRANSACTION_SANITIZE_FAILURE,
                                   "an instruction's account is not among the message's keys"},
    [ERX_MESSAGE_TOO_MANY_LOCKS] = {ERX_TRANSACTION_TOO_MANY_ACCOUNT_LOCKS,
                                    "more than 64 keys; use several transactions"},
    [ERX_MESSAGE_DUPLICATE_KEY] = {ERX_TRANSACTION_ACCOUNT_LOADED_TWICE,
                                   "a key appears twice, counting those of lookup tables"},
    [ERX_MESSAGE_TABLE_NOT_FOUND] = {ERX_TRANSACTION_ADDRESS_LOOKUP_TABLE_NOT_FOUND,
                                     "a lookup table does not exist or was deactivated"},
    [ERX_MESSAGE_TABLE_OWNER] = {ERX_TRANSACTION_INVALID_ADDRESS_LOOKUP_TABLE_OWNER,
                                 "an account named as a lookup table belongs to another program"},
    [ERX_MESSAGE_TABLE_DATA] = {ERX_TRANSACTION_INVALID_ADDRESS_LOOKUP_TABLE_DATA,
                                "an account named as a lookup table does not hold one"},
    [ERX_MESSAGE_TABLE_INDEX] = {ERX_TRANSACTION_INVALID_ADDRESS_LOOKUP_TABLE_INDEX,
                                 "a lookup table has no such entry, or has it only since this "
                                 "slot"},
};

ERX_STATIC_ASSERT(ERX_COUNT(faults) == ERX_MESSAGE_FAULT_COUNT, "every fault has its text");
ERX_STATIC_ASSERT(ERX_PACKET_BYTES_MAX == 1232 && ERX_MESSAGE_KEYS_MAX == 256 &&
                      ERX_MESSAGE_LOCKS_MAX == 64 && ERX_MESSAGE_INSTRUCTIONS_MAX == 64,
                  "the texts name these limits");

const char *erx_message_fault_text(erx_message_fault_t fault)
{
    return (uint32_t)fault < ERX_COUNT(faults) ? faults[fault].text : "unknown fault";
}

erx_transaction_error_t erx_message_fault_error(erx_message_fault_t fault)
{
    return (uint32_t)fault < ERX_COUNT(faults) ? faults[fault].error
                                               : ERX_TRANSACTION_SANITIZE_FAILURE;
}
