/* A rollup with a small model, as an embedder has it. What fails here fails the
 * test that calls it. */
#ifndef ERX_TESTS_ABI_ABI_RIG_H
#define ERX_TESTS_ABI_ABI_RIG_H

#include "abi/erx.h"
#include "tests/engine/bank/world_calls.h"

#define ABI_MODEL_ID RIG_MODEL_ID
#define ABI_SESSIONS 4u

typedef struct {
    rig_model_t model;
    erx_rollup_config_t config;
    erx_rollup_t *rollup;
    uint64_t slot;
    uint64_t nonce;
    const erx_block_result_t *block; /* of the last seal */
} abi_rig_t;

/* Makes the model's directory and a config for it; opens nothing. */
void abi_rig_make(abi_rig_t *rig);

/* The same with a model of this shape. */
void abi_rig_make_of(abi_rig_t *rig, const erx_shape_t *shape);

/* Opens and starts. */
void abi_rig_open(abi_rig_t *rig);
void abi_rig_close(abi_rig_t *rig);

/* Closes if open, and removes the model's directory. */
void abi_rig_end(abi_rig_t *rig);

/* A session that the crank steps, with made-up players. */
erx_session_ref_t abi_rig_session(abi_rig_t *rig, uint64_t session_id);

/* Seals the next block; crank: with a frame of every session. */
void abi_rig_seal(abi_rig_t *rig, bool crank);

/* Feeds both players inputs that follow from the frame, and seals a frame. */
void abi_rig_play(abi_rig_t *rig, const erx_session_ref_t *sessions, uint32_t count,
                  uint32_t frames);

/* Chain of frame hashes of a session. */
uint64_t abi_rig_frame_hash(const abi_rig_t *rig, erx_session_ref_t session);

/* A key of somebody who can sign: 1 to 8. */
erx_pubkey_t abi_rig_key(uint64_t signer);

/* Writes and signs a transaction of one instruction, which signer 1 pays for;
 * every one differs. Returns its size. */
size_t abi_rig_packet(abi_rig_t *rig, const call_t *call, uint8_t packet[ERX_PACKET_MAX]);

/* The same for an instruction of the System program. */
size_t abi_rig_system_packet(abi_rig_t *rig, const call_t *call, uint8_t packet[ERX_PACKET_MAX]);

/* Submits it and seals a block; its outcome. */
const erx_transaction_outcome_t *abi_rig_run(abi_rig_t *rig, const call_t *call);

#endif
