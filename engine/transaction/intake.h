/* Where transactions enter: any thread leaves packets, a few threads read and
 * verify them, the control thread takes them in the order in which they came.
 *
 *   submit (any thread) -> slot -> verify (erx-verify-<i>) -> take, release
 *
 * Slots are taken at open; when all are in use, submit says so and the sender
 * has to slow down. Verifying runs at low priority: a flood of bad signatures
 * delays other transactions, never frames. What is wrong with a packet does not
 * stop it: it is delivered in its turn with its fault, for the answer to its
 * sender.
 *
 * The order is that of submit's claims. A sender that loses its processor
 * between claim and copy holds back those behind it for so long. */
#ifndef ERX_ENGINE_TRANSACTION_INTAKE_H
#define ERX_ENGINE_TRANSACTION_INTAKE_H

#include "engine/transaction/message.h"
#include "mem/status.h"

#define ERX_INTAKE_SLOTS_DEFAULT  4096u      /* 6 MB */
#define ERX_INTAKE_SLOTS_MAX      (1u << 20) /* 1.5 GB */
#define ERX_INTAKE_WORKERS_MAX    64u
#define ERX_INTAKE_WORKERS_INLINE 0u /* no threads: submit verifies before it returns */

typedef struct erx_intake erx_intake_t;

typedef struct {
    uint32_t slot_count;   /* a power of two, at least 2 */
    uint32_t worker_count; /* ERX_INTAKE_WORKERS_INLINE, or up to ERX_INTAKE_WORKERS_MAX */
} erx_intake_settings_t;

/* A packet that was read and verified. */
typedef struct {
    uint64_t tag; /* the sender's */
    const uint8_t *packet;
    uint32_t bytes;
    erx_message_fault_t fault;     /* what erx_message_parse said */
    erx_transaction_error_t error; /* the fault's, or SignatureFailure, or OK */
    erx_message_t message;         /* all zero on a fault */
    erx_key_t message_hash;        /* SHA-256 of what is signed; zero on an error */
} erx_intake_item_t;

/* Since open. */
typedef struct {
    uint64_t accepted; /* packets */
    uint64_t refused;  /* packets, because all slots were in use */
    uint64_t bad;      /* accepted packets that were delivered with an error */
} erx_intake_counts_t;

/* Errors: ERX_ERR_RANGE (the message names the setting), ERX_ERR_MEMORY. */
erx_status_t erx_intake_open(const erx_intake_settings_t *settings, erx_intake_t **intake_out,
                             erx_error_t *error);

/* What is told of every packet when its signatures were verified: on the thread that
 * did, before the packet can be taken. more: another waits to be verified, and will be
 * told of in its turn. Must not block. */
typedef void (*erx_intake_verified_fn)(void *context, const erx_signature_t *signature,
                                       bool is_good, bool more);

/* Before the first submit. NULL: nothing is told. */
void erx_intake_set_verified(erx_intake_t *intake, erx_intake_verified_fn verified, void *context);

/* Stops the threads and frees everything, also what was never taken. No other
 * call may be under way or follow. NULL is allowed. */
void erx_intake_close(erx_intake_t *intake);

/* Copies a packet into a slot; tag comes back with it. Any thread; takes no lock
 * and does not wait. Returns ERX_ERR_RANGE for an empty packet or one of more
 * than ERX_PACKET_BYTES_MAX bytes, ERX_ERR_FULL when every slot is in use. */
erx_status_t erx_intake_submit(erx_intake_t *intake, const uint8_t *packet, size_t bytes,
                               uint64_t tag);

/* The next packet in order; NULL when there is none or it is not verified yet.
 * The item stays valid until it is released. Control thread only. */
const erx_intake_item_t *erx_intake_take(erx_intake_t *intake);

/* Gives back the slots of the oldest count items that were taken. Control
 * thread only. */
void erx_intake_release(erx_intake_t *intake, uint32_t count);

/* Any thread. */
erx_intake_counts_t erx_intake_counts(const erx_intake_t *intake);

#endif
