#include "node/base_settler_parts.h"

#include "node/base_delegation.h"
#include "node/json_reader.h"
#include "node/key_text.h"
#include "node/log.h"
#include "node/node_clock.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define POLL_NS       (200 * ERX_MILLISECOND_NS)
#define LAND_NS       (60 * ERX_SECOND_NS) /* a blockhash is of no use after that */
#define PARAMS_MAX    ((size_t)16 << 10)
#define KEYS_OF_A_JOB 3u

/* ------------------------------------------------- where the accounts stand */

static bool holds(const erx_base_account_t *account, const erx_settlement_t *settlement)
{
    return account->data_size == settlement->state_size &&
           (!settlement->is_plain || account->lamports == settlement->lamports) &&
           memcmp(account->data, settlement->state, settlement->state_size) == 0;
}

/* accounts: the account, its record, its metadata. */
static void place_job(erx_settle_job_t *job, const erx_base_account_t *accounts,
                      const erx_pubkey_t *validator)
{
    erx_delegation_metadata_t metadata;
    const erx_settlement_t *settlement = &job->settlement;
    erx_pubkey_t program = erx_delegation_program();
    bool is_delegated =
        accounts[0].exists && memcmp(&accounts[0].owner, &program, sizeof program) == 0;
    job->has_place = is_delegated;
    job->state = ERX_SETTLE_WAITS;
    if (accounts[0].exists && holds(&accounts[0], settlement) &&
        is_delegated != settlement->is_final) {
        job->state = ERX_SETTLE_LANDED;
    } else if (is_delegated) {
        if (!erx_delegation_record_read(&accounts[1], &job->place.record) ||
            !erx_delegation_metadata_read(&accounts[2], &metadata)) {
            job->state = ERX_SETTLE_REFUSED;
            return;
        }
        if (memcmp(&job->place.record.authority, validator, sizeof *validator) != 0)
            job->state = ERX_SETTLE_ELSEWHERE;
        job->place.lamports = accounts[0].lamports;
        job->place.commits = metadata.commits;
        job->place.rent_payer = metadata.rent_payer;
    } else if (settlement->is_plain) {
        job->state = ERX_SETTLE_ELSEWHERE; /* nobody's any more to settle */
    }
}

static bool look(const erx_settle_round_t *round, erx_settle_job_t *const *jobs, uint32_t count,
                 erx_failure_t *failure)
{
    erx_pubkey_t keys[ERX_SETTLE_ROUND_MAX * KEYS_OF_A_JOB];
    erx_base_account_t accounts[ERX_SETTLE_ROUND_MAX * KEYS_OF_A_JOB];
    erx_pubkey_t validator = erx_keypair_public(round->identity);
    for (uint32_t i = 0; i < count; i++) {
        erx_pubkey_t *place = keys + (size_t)i * KEYS_OF_A_JOB;
        place[0] = jobs[i]->settlement.account;
        if (!erx_delegation_address(ERX_DELEGATION_RECORD, &place[0], &place[1]) ||
            !erx_delegation_address(ERX_DELEGATION_METADATA, &place[0], &place[2]))
            return erx_failure_set(failure, "an account without a delegation address");
    }
    if (!erx_base_read_accounts(round->wire, keys, count * KEYS_OF_A_JOB, accounts, failure))
        return false;
    for (uint32_t i = 0; i < count; i++)
        place_job(jobs[i], accounts + (size_t)i * KEYS_OF_A_JOB, &validator);
    for (uint32_t i = 0; i < count * KEYS_OF_A_JOB; i++)
        erx_base_account_free(&accounts[i]);
    return true;
}

/* --------------------------------------------------------------- sending */

static bool read_blockhash(const erx_settle_round_t *round, uint8_t blockhash_out[ERX_HASH_SIZE],
                           erx_failure_t *failure)
{
    erx_pubkey_t hash;
    erx_text_t params;
    erx_text_open(&params, PARAMS_MAX);
    erx_text_print(&params, "[{\"commitment\":\"" ERX_BASE_COMMITMENT "\"}]");
    json_t *result = erx_base_call(round->wire, "getLatestBlockhash", &params, failure);
    erx_text_close(&params);
    if (result == NULL)
        return false;
    const json_t *value = json_object_get(result, "value");
    bool is_read = erx_key_read(json_object_get(value, "blockhash"), &hash);
    json_decref(result);
    if (!is_read)
        return erx_failure_set(failure, "getLatestBlockhash: an answer that is none");
    memcpy(blockhash_out, hash.bytes, ERX_HASH_SIZE);
    return true;
}

static void send_job(const erx_settle_round_t *round, erx_settle_job_t *job,
                     const uint8_t blockhash[ERX_HASH_SIZE])
{
    uint8_t packet[ERX_PACKET_MAX];
    size_t size = 0;
    erx_failure_t failure = {"it does not fit into a transaction"};
    erx_text_t params;
    erx_text_open(&params, PARAMS_MAX);
    erx_json_writer_t writer = erx_json_writer(&params);
    json_t *result = NULL;
    if (erx_settlement_packet(&job->settlement, job->has_place ? &job->place : NULL,
                              round->identity, blockhash, packet, &size)) {
        memcpy(job->signature, packet + 1, sizeof job->signature);
        erx_json_array_begin(&writer);
        erx_json_base64(&writer, packet, size);
        erx_json_object_begin(&writer);
        erx_json_put_text(&writer, "encoding", "base64");
        erx_json_put_text(&writer, "preflightCommitment", ERX_BASE_COMMITMENT);
        erx_json_object_end(&writer);
        erx_json_array_end(&writer);
        result = erx_base_call(round->wire, "sendTransaction", &params, &failure);
    }
    erx_text_close(&params);
    job->state = result != NULL ? ERX_SETTLE_SENT : ERX_SETTLE_REFUSED;
    if (result == NULL)
        erx_log(ERX_LOG_WARNING, "settlement-refused", "session=%" PRIu64 " reason=\"%.300s\"",
                job->settlement.session_id, failure.text);
    json_decref(result);
}

/* --------------------------------------------------------------- landing */

static void note_status(erx_settle_job_t *job, const json_t *status)
{
    const char *commitment = erx_json_member_text(status, "confirmationStatus");
    if (erx_json_member(status, "err") != NULL) {
        job->state = ERX_SETTLE_REFUSED;
        char *error = json_dumps(json_object_get(status, "err"), JSON_COMPACT | JSON_ENCODE_ANY);
        erx_log(ERX_LOG_WARNING, "settlement-refused", "session=%" PRIu64 " reason=\"%.300s\"",
                job->settlement.session_id, error != NULL ? error : "");
        free(error);
    } else if (commitment != NULL && strcmp(commitment, "processed") != 0) {
        job->state = ERX_SETTLE_LANDED;
    }
}

/* Asks for those that were sent; false where the node could not be asked. */
static bool read_statuses(const erx_settle_round_t *round, erx_settle_job_t *const *sent,
                          uint32_t count, erx_failure_t *failure)
{
    erx_text_t params;
    erx_text_open(&params, PARAMS_MAX);
    erx_json_writer_t writer = erx_json_writer(&params);
    erx_json_array_begin(&writer);
    erx_json_array_begin(&writer);
    for (uint32_t i = 0; i < count; i++)
        erx_json_base58(&writer, sent[i]->signature, sizeof sent[i]->signature);
    erx_json_array_end(&writer);
    erx_json_array_end(&writer);
    json_t *result = erx_base_call(round->wire, "getSignatureStatuses", &params, failure);
    erx_text_close(&params);
    const json_t *values = json_object_get(result, "value");
    bool is_read = json_array_size(values) == count;
    for (uint32_t i = 0; is_read && i < count; i++)
        note_status(sent[i], json_array_get(values, i));
    if (result != NULL && !is_read)
        (void)erx_failure_set(failure, "getSignatureStatuses: an answer that is none");
    json_decref(result);
    return is_read;
}

static uint32_t list_sent(erx_settle_job_t *const *jobs, uint32_t count, erx_settle_job_t **sent)
{
    uint32_t sent_count = 0;
    for (uint32_t i = 0; i < count; i++)
        if (jobs[i]->state == ERX_SETTLE_SENT)
            sent[sent_count++] = jobs[i];
    return sent_count;
}

static bool wait_until_landed(const erx_settle_round_t *round, erx_settle_job_t *const *jobs,
                              uint32_t count, erx_failure_t *failure)
{
    erx_settle_job_t *sent[ERX_SETTLE_ROUND_MAX];
    uint64_t give_up = erx_node_now() + LAND_NS;
    uint32_t sent_count;
    while ((sent_count = list_sent(jobs, count, sent)) > 0 && erx_node_now() < give_up) {
        if (!read_statuses(round, sent, sent_count, failure))
            return false;
        if (list_sent(jobs, count, sent) > 0 && !round->pause(round->context, POLL_NS))
            return erx_failure_set(failure, "the validator stops");
    }
    return true;
}

bool erx_settle_round_run(const erx_settle_round_t *round, erx_settle_job_t *const *jobs,
                          uint32_t count, erx_failure_t *failure)
{
    uint8_t blockhash[ERX_HASH_SIZE];
    uint32_t to_send = 0;
    for (uint32_t i = 0; i < count; i++)
        jobs[i]->state = ERX_SETTLE_WAITS;
    if (!look(round, jobs, count, failure))
        return false;
    for (uint32_t i = 0; i < count; i++)
        to_send += jobs[i]->state == ERX_SETTLE_WAITS;
    if (to_send == 0)
        return true;
    if (!read_blockhash(round, blockhash, failure))
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (jobs[i]->state == ERX_SETTLE_WAITS)
            send_job(round, jobs[i], blockhash);
    return wait_until_landed(round, jobs, count, failure);
}
