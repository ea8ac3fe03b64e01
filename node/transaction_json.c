#include "node/transaction_json.h"

#include "node/key_text.h"
#include "node/native_programs.h"
#include "node/packet_view.h"
#include "node/parsed_instruction.h"

void erx_logs_json(erx_json_writer_t *writer, const erx_transaction_outcome_t *outcome)
{
    erx_json_array_begin(writer);
    for (uint32_t i = 0; i < outcome->log_count; i++)
        erx_json_text(writer, outcome->logs[i]);
    erx_json_array_end(writer);
}

void erx_return_data_json(erx_json_writer_t *writer, const erx_transaction_outcome_t *outcome)
{
    if (outcome->return_size == 0) {
        erx_json_null(writer);
        return;
    }
    erx_json_object_begin(writer);
    erx_json_key(writer, "programId");
    erx_json_key_text(writer, &outcome->return_program);
    erx_json_key(writer, "data");
    erx_json_array_begin(writer);
    erx_json_base64(writer, outcome->return_data, outcome->return_size);
    erx_json_text(writer, "base64");
    erx_json_array_end(writer);
    erx_json_object_end(writer);
}

static void empty_array(erx_json_writer_t *writer, const char *name)
{
    erx_json_key(writer, name);
    erx_json_array_begin(writer);
    erx_json_array_end(writer);
}

/* Accounts that came from lookup tables stand behind the static ones, writable
 * ones first. */
static void write_loaded(erx_json_writer_t *writer, const erx_packet_view_t *view,
                         const erx_transaction_outcome_t *outcome)
{
    uint32_t writable = 0;
    for (uint16_t i = 0; i < view->lookup_count; i++)
        writable += view->lookups[i].writable_count;
    erx_json_key(writer, "loadedAddresses");
    erx_json_object_begin(writer);
    erx_json_key(writer, "writable");
    erx_json_array_begin(writer);
    for (uint32_t i = view->key_count; i < outcome->balance_count; i++) {
        if (i == view->key_count + writable) {
            erx_json_array_end(writer);
            erx_json_key(writer, "readonly");
            erx_json_array_begin(writer);
        }
        erx_json_key_text(writer, &outcome->balances[i].key);
    }
    erx_json_array_end(writer);
    if (outcome->balance_count <= view->key_count + writable)
        empty_array(writer, "readonly");
    erx_json_object_end(writer);
}

static void write_balances(erx_json_writer_t *writer, const erx_transaction_outcome_t *outcome)
{
    erx_json_key(writer, "preBalances");
    erx_json_array_begin(writer);
    for (uint32_t i = 0; i < outcome->balance_count; i++)
        erx_json_unsigned(writer, outcome->balances[i].lamports_before);
    erx_json_array_end(writer);
    erx_json_key(writer, "postBalances");
    erx_json_array_begin(writer);
    for (uint32_t i = 0; i < outcome->balance_count; i++)
        erx_json_unsigned(writer, outcome->balances[i].lamports_after);
    erx_json_array_end(writer);
}

static void write_meta(erx_json_writer_t *writer, const erx_packet_view_t *view,
                       const erx_transaction_outcome_t *outcome)
{
    erx_json_object_begin(writer);
    erx_json_key(writer, "err");
    erx_fate_json(writer, erx_outcome_fate(outcome));
    erx_json_key(writer, "status");
    erx_fate_status_json(writer, erx_outcome_fate(outcome));
    erx_json_put_unsigned(writer, "fee", outcome->fee);
    write_balances(writer, outcome);
    empty_array(writer, "innerInstructions");
    erx_json_key(writer, "logMessages");
    erx_logs_json(writer, outcome);
    empty_array(writer, "preTokenBalances");
    empty_array(writer, "postTokenBalances");
    empty_array(writer, "rewards");
    write_loaded(writer, view, outcome);
    if (outcome->return_size > 0) {
        erx_json_key(writer, "returnData");
        erx_return_data_json(writer, outcome);
    }
    erx_json_put_unsigned(writer, "computeUnitsConsumed", outcome->units);
    erx_json_object_end(writer);
}

static void write_header(erx_json_writer_t *writer, const erx_packet_view_t *view)
{
    erx_json_key(writer, "header");
    erx_json_object_begin(writer);
    erx_json_put_unsigned(writer, "numRequiredSignatures", view->required_signatures);
    erx_json_put_unsigned(writer, "numReadonlySignedAccounts", view->readonly_signed);
    erx_json_put_unsigned(writer, "numReadonlyUnsignedAccounts", view->readonly_unsigned);
    erx_json_object_end(writer);
}

static void write_keys(erx_json_writer_t *writer, const erx_packet_view_t *view, bool is_parsed)
{
    erx_json_key(writer, "accountKeys");
    erx_json_array_begin(writer);
    for (uint16_t i = 0; i < view->key_count; i++) {
        const uint8_t *key = view->keys + (size_t)i * ERX_PUBKEY_SIZE;
        if (!is_parsed) {
            erx_json_base58(writer, key, ERX_PUBKEY_SIZE);
            continue;
        }
        erx_json_object_begin(writer);
        erx_json_key(writer, "pubkey");
        erx_json_base58(writer, key, ERX_PUBKEY_SIZE);
        erx_json_put_bool(writer, "signer", erx_packet_is_signer(view, i));
        erx_json_put_bool(writer, "writable", erx_packet_is_writable(view, i));
        erx_json_put_text(writer, "source", "transaction");
        erx_json_object_end(writer);
    }
    erx_json_array_end(writer);
}

static void write_account_name(erx_json_writer_t *writer, const erx_transaction_outcome_t *outcome,
                               uint8_t index)
{
    if (index < outcome->balance_count)
        erx_json_key_text(writer, &outcome->balances[index].key);
    else
        erx_json_null(writer);
}

static void write_instruction(erx_json_writer_t *writer,
                              const erx_packet_instruction_t *instruction,
                              const erx_transaction_outcome_t *outcome, bool is_parsed)
{
    if (is_parsed && erx_parsed_instruction_json(writer, instruction, outcome))
        return;
    erx_json_object_begin(writer);
    if (is_parsed) {
        erx_json_key(writer, "programId");
        write_account_name(writer, outcome, instruction->program);
    } else {
        erx_json_put_unsigned(writer, "programIdIndex", instruction->program);
    }
    erx_json_key(writer, "accounts");
    erx_json_array_begin(writer);
    for (uint16_t i = 0; i < instruction->account_count; i++) {
        if (is_parsed)
            write_account_name(writer, outcome, instruction->accounts[i]);
        else
            erx_json_unsigned(writer, instruction->accounts[i]);
    }
    erx_json_array_end(writer);
    erx_json_key(writer, "data");
    erx_json_base58_long(writer, instruction->data, instruction->data_size);
    erx_json_put_unsigned(writer, "stackHeight", 1);
    erx_json_object_end(writer);
}

static void write_index_list(erx_json_writer_t *writer, const char *name, const uint8_t *indexes,
                             uint16_t count)
{
    erx_json_key(writer, name);
    erx_json_array_begin(writer);
    for (uint16_t i = 0; i < count; i++)
        erx_json_unsigned(writer, indexes[i]);
    erx_json_array_end(writer);
}

static void write_lookups(erx_json_writer_t *writer, const erx_packet_view_t *view)
{
    erx_json_key(writer, "addressTableLookups");
    erx_json_array_begin(writer);
    for (uint16_t i = 0; i < view->lookup_count; i++) {
        const erx_packet_lookup_t *lookup = &view->lookups[i];
        erx_json_object_begin(writer);
        erx_json_key(writer, "accountKey");
        erx_json_base58(writer, lookup->table, ERX_PUBKEY_SIZE);
        write_index_list(writer, "writableIndexes", lookup->writable, lookup->writable_count);
        write_index_list(writer, "readonlyIndexes", lookup->readonly, lookup->readonly_count);
        erx_json_object_end(writer);
    }
    erx_json_array_end(writer);
}

static void write_parts(erx_json_writer_t *writer, const erx_packet_view_t *view,
                        const erx_transaction_outcome_t *outcome, bool is_parsed)
{
    erx_json_object_begin(writer);
    erx_json_key(writer, "signatures");
    erx_json_array_begin(writer);
    for (uint16_t i = 0; i < view->signature_count; i++)
        erx_json_base58(writer, view->signatures + (size_t)i * ERX_SIGNATURE_SIZE,
                        ERX_SIGNATURE_SIZE);
    erx_json_array_end(writer);
    erx_json_key(writer, "message");
    erx_json_object_begin(writer);
    if (!is_parsed)
        write_header(writer, view);
    write_keys(writer, view, is_parsed);
    erx_json_key(writer, "recentBlockhash");
    erx_json_base58(writer, view->blockhash, ERX_HASH_SIZE);
    erx_json_key(writer, "instructions");
    erx_json_array_begin(writer);
    for (uint16_t i = 0; i < view->instruction_count; i++)
        write_instruction(writer, &view->instructions[i], outcome, is_parsed);
    erx_json_array_end(writer);
    if (view->is_versioned)
        write_lookups(writer, view);
    erx_json_object_end(writer);
    erx_json_object_end(writer);
}

static void write_transaction(erx_json_writer_t *writer, const erx_packet_view_t *view,
                              const erx_transaction_outcome_t *outcome,
                              erx_transaction_encoding_t encoding)
{
    erx_json_key(writer, "transaction");
    if (encoding == ERX_TRANSACTION_JSON || encoding == ERX_TRANSACTION_JSON_PARSED) {
        write_parts(writer, view, outcome, encoding == ERX_TRANSACTION_JSON_PARSED);
        return;
    }
    erx_json_array_begin(writer);
    if (encoding == ERX_TRANSACTION_BASE64)
        erx_json_base64(writer, outcome->packet, outcome->packet_size);
    else
        erx_json_base58_long(writer, outcome->packet, outcome->packet_size);
    erx_json_text(writer, encoding == ERX_TRANSACTION_BASE64 ? "base64" : "base58");
    erx_json_array_end(writer);
}

void erx_transaction_record_json(erx_json_writer_t *writer, const erx_transaction_record_t *record,
                                 erx_transaction_encoding_t encoding)
{
    const erx_transaction_outcome_t *outcome = &record->outcome;
    erx_packet_view_t view;
    if (!erx_packet_view_read(outcome->packet, outcome->packet_size, &view)) {
        erx_json_null(writer);
        return;
    }
    erx_json_object_begin(writer);
    erx_json_put_unsigned(writer, "slot", record->slot);
    erx_json_put_signed(writer, "blockTime", record->timestamp);
    erx_json_put_unsigned(writer, "transactionIndex", record->index);
    erx_json_key(writer, "version");
    if (view.is_versioned)
        erx_json_unsigned(writer, 0);
    else
        erx_json_text(writer, "legacy");
    write_transaction(writer, &view, outcome, encoding);
    erx_json_key(writer, "meta");
    write_meta(writer, &view, outcome);
    erx_json_object_end(writer);
}

bool erx_packet_is_versioned(const uint8_t *packet, size_t size)
{
    erx_packet_view_t view;
    return erx_packet_view_read(packet, size, &view) && view.is_versioned;
}

bool erx_packet_memo(const uint8_t *packet, size_t size, const uint8_t **memo_out, size_t *size_out)
{
    erx_packet_view_t view;
    if (!erx_packet_view_read(packet, size, &view))
        return false;
    for (uint16_t i = 0; i < view.instruction_count; i++) {
        const erx_packet_instruction_t *instruction = &view.instructions[i];
        if (instruction->program < view.key_count &&
            erx_native_program(view.keys + (size_t)instruction->program * ERX_PUBKEY_SIZE) ==
                ERX_PROGRAM_MEMO) {
            *memo_out = instruction->data;
            *size_out = instruction->data_size;
            return true;
        }
    }
    return false;
}
