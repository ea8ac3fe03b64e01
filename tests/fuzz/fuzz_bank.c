/* Fuzzes the execution of instructions: an input is a sequence of transactions,
 * made of good instructions that its bytes choose and spoil. Whatever comes, the
 * lamports stay the same, what fails changes nothing, and the table and the
 * sessions agree with each other. */
#include "mem/assert.h"
#include "tests/engine/bank/world_calls.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

#define TRANSACTIONS_MAX 40u
#define CALLS_MAX        3u  /* of a transaction, so that it fits a packet */
#define RAW_MAX          48u /* bytes of free data */
#define WALLETS          4u
#define KEYS             16u
#define MODEL            12u /* one that is uploaded, never whole */
#define LAMPORTS         UINT64_C(1000000)

static const bank_rig_options_t options = {.heap_pages = 2};
static bank_rig_t rig;
static bool is_open;
static erx_key_t keys[KEYS]; /* wallets first: only they sign */

typedef struct {
    const uint8_t *at;
    size_t left;
} reader_t;

static uint8_t next(reader_t *reader)
{
    if (reader->left == 0)
        return 0;
    reader->left--;
    return *reader->at++;
}

static void make_keys(void)
{
    for (uint32_t i = 0; i < WALLETS; i++)
        keys[i] = bank_rig_key(100 + i);
    bank_rig_session(1, keys + 4);
    bank_rig_session(2, keys + 7);
    keys[10] = bank_rig_manifest(RIG_MODEL_ID);
    keys[11] = bank_rig_manifest(MODEL);
    keys[12] = bank_rig_weights(RIG_MODEL_ID, 0);
    keys[13] = bank_rig_weights(MODEL, 0);
    keys[14] = erx_key_system;
    keys[15] = bank_rig_key(200);
}

static void prepare(void)
{
    if (!is_open) {
        bank_rig_open(&rig, &options);
        make_keys();
        is_open = true;
    } else {
        bank_rig_reset(&rig, &options);
    }
    for (uint32_t i = 0; i < WALLETS - 1; i++)
        bank_rig_fund(&rig, &keys[i], LAMPORTS);
}

/* An instruction that may be good. */
static call_t model_call(uint8_t number, const erx_key_t *owner, uint8_t value)
{
    uint8_t hash[32] = {value}, data[RAW_MAX] = {value};
    const call_manifest_t manifest = {MODEL, 1, 64, 64};
    switch (number) {
    case 0:
        return call_init_manifest(&manifest, owner);
    case 1:
        return call_upload_manifest(MODEL, owner, value * 8u, data, RAW_MAX);
    case 2:
        return call_finalize_manifest(MODEL, 1, owner, hash);
    case 3:
        return call_init_weights(MODEL, 0, 64, owner);
    case 4:
        return call_upload_weights(MODEL, 0, owner, value % 64, data,
                                   64 - value % 64u > 40 ? 40 : 1);
    default:
        return call_finalize_weights(MODEL, 0, owner, hash);
    }
}

static call_t session_call(uint8_t number, const erx_key_t *player, uint8_t value)
{
    uint64_t session = 1 + value / 128;
    uint8_t control[ERX_CONTROLLER_BYTES] = {value};
    const call_session_t terms = {.session = session,
                                  .model = RIG_MODEL_ID,
                                  .stage = value % 40,
                                  .character = value % 36,
                                  .max_frames = value % 4,
                                  .player = *player};
    switch (number) {
    case 0:
        return call_create_session(&terms);
    case 1:
        return call_join_session(session, player, value % 36);
    case 2:
        return call_submit_input(session, player, value, control);
    case 3:
        return call_run_inference(session, RIG_MODEL_ID, 1);
    case 4:
        return call_run_inference_chunk(session, RIG_MODEL_ID, 1, value / 16 % 8, value % 4);
    default:
        return call_close_session(session, player);
    }
}

/* An instruction of the system program: a transfer, or anything. */
static call_t system_call(reader_t *reader, const erx_key_t *from, uint8_t value)
{
    call_t call = {.account_count = 2, .data_bytes = 12};
    call.accounts[0] = (rig_account_t){*from, RIG_SIGNS | RIG_WRITES};
    call.accounts[1] = (rig_account_t){keys[value % KEYS], RIG_WRITES};
    call.data[0] = 2;
    call.data[4] = next(reader);
    if ((value & 0x80) == 0)
        return call;
    call.data_bytes = next(reader) % RAW_MAX;
    call.data[0] = value % 13;
    for (uint32_t i = 4; i < call.data_bytes; i++)
        call.data[i] = next(reader);
    return call;
}

static void spoil(reader_t *reader, call_t *call)
{
    uint8_t way = next(reader), place = next(reader), value = next(reader);
    rig_account_t *account =
        &call->accounts[call->account_count == 0 ? 0 : place % call->account_count];
    switch (way % 6) {
    case 0:
        account->key = keys[value % KEYS];
        break;
    case 1:
        account->flags = value & 3;
        break;
    case 2:
        call->data[call->data_bytes == 0 ? 0 : place % call->data_bytes] ^= value;
        break;
    case 3:
        call->data_bytes = ERX_MIN(call->data_bytes, place);
        break;
    case 4:
        call->account_count = ERX_MIN(call->account_count, place % CALL_ACCOUNTS_MAX);
        break;
    default:
        break; /* as it is */
    }
}

static void add_call(reader_t *reader, rig_transaction_t *transaction)
{
    static const erx_key_t *const programs[] = {&erx_key_world, &erx_key_system, &erx_key_memo,
                                                &erx_key_compute_budget};
    uint8_t choice = next(reader), value = next(reader);
    const erx_key_t *wallet = &keys[choice / 16 % WALLETS];
    uint32_t program = 0;
    call_t call;
    if (choice % 16 < 6) {
        call = session_call(choice % 16, wallet, value);
    } else if (choice % 16 < 12) {
        call = model_call((uint8_t)(choice % 16 - 6), wallet, value);
    } else {
        call = system_call(reader, wallet, value);
        program = choice % 16 - 12u == 0 ? 1 : choice % 4;
    }
    for (uint32_t spoils = next(reader) % 4; spoils > 0; spoils--)
        spoil(reader, &call);
    for (uint32_t i = 0; i < call.account_count; i++)
        for (uint32_t k = WALLETS; k < KEYS; k++)
            if (erx_key_equals(&call.accounts[i].key, &keys[k]))
                call.accounts[i].flags &= (uint8_t)~RIG_SIGNS;
    rig_transaction_add(transaction, programs[program], call.accounts, call.account_count,
                        call.data, call.data_bytes);
}

/* What must hold between any two transactions. */
static void check_state(void)
{
    uint64_t lamports = 0;
    uint32_t session_accounts = 0, model_count, sessions = 0, indexes[3];
    for (uint32_t i = 0; i < erx_accounts_capacity(rig.accounts); i++) {
        if (!erx_accounts_is_used(rig.accounts, i))
            continue;
        uint32_t pool;
        const erx_account_entry_t *entry = erx_accounts_entry(rig.accounts, i);
        lamports += entry->lamports;
        if (entry->kind < ERX_ACCOUNT_SESSION_STATE || entry->kind > ERX_ACCOUNT_INPUT_BUFFER)
            continue;
        session_accounts++;
        ERX_ASSERT(erx_bank_session(rig.bank, i, &pool) != NULL);
        ERX_ASSERT(erx_bank_session_accounts(rig.bank, pool, entry->slot, indexes));
        ERX_ASSERT(indexes[entry->kind - ERX_ACCOUNT_SESSION_STATE] == i);
    }
    const erx_model_t *models = erx_engine_models(rig.engine, &model_count);
    for (uint32_t m = 0; m < model_count; m++)
        sessions += models[m].sessions.used_count;
    ERX_ASSERT(lamports == LAMPORTS * (WALLETS - 1));
    ERX_ASSERT(session_accounts == 3 * sessions);
}

static void run_transaction(reader_t *reader, uint8_t first)
{
    static rig_transaction_t transaction;
    uint32_t frames_before, frames_after;
    rig_transaction_begin(&transaction, &keys[first / 64]);
    for (uint32_t calls = 1 + first % CALLS_MAX; calls > 0; calls--)
        add_call(reader, &transaction);
    uint64_t before = bank_rig_hash(&rig);
    (void)erx_bank_frames(rig.bank, &frames_before);
    erx_bank_outcome_t outcome = bank_rig_run(&rig, &transaction);
    (void)erx_bank_frames(rig.bank, &frames_after);
    /* Frames that were asked for before it may have been executed first. */
    if (outcome.result.error != ERX_TRANSACTION_OK && frames_before == frames_after)
        ERX_ASSERT(bank_rig_hash(&rig) == before);
    check_state();
}

static void simulate(reader_t *reader)
{
    static rig_transaction_t transaction;
    uint8_t packet[ERX_PACKET_BYTES_MAX];
    erx_intake_item_t item;
    erx_bank_outcome_t outcome;
    const erx_bank_simulation_t simulation = {.slot = rig.slot + 1};
    bank_rig_seal(&rig);
    rig_transaction_begin(&transaction, &keys[0]);
    add_call(reader, &transaction);
    rig_transaction_write(&transaction, erx_blockhash_latest(rig.blockhashes), packet, &item);
    uint64_t before = bank_rig_hash(&rig);
    erx_bank_simulate(rig.bank, &item, &simulation, &outcome);
    ERX_ASSERT(bank_rig_hash(&rig) == before);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    reader_t reader = {data, size};
    prepare();
    for (uint32_t i = 0; i < TRANSACTIONS_MAX && reader.left > 0; i++) {
        uint8_t first = next(&reader);
        if (first % 8 == 7)
            bank_rig_seal(&rig);
        else if (first % 8 == 6)
            simulate(&reader);
        else
            run_transaction(&reader, first);
    }
    return 0;
}
