#include "engine/bank/clones.h"

#include <string.h>

#include "mem/alloc.h"

typedef enum { KEY_FREE, KEY_ASKED, KEY_MISSING } key_state_t;

typedef struct {
    erx_key_t key;
    key_state_t state;
    uint64_t block; /* at which it was known to be missing */
} asked_t;

typedef enum { PARKED_FREE, PARKED_WAITS, PARKED_TAKEN } parked_state_t;

typedef struct {
    parked_state_t state;
    uint64_t order;
    erx_intake_item_t item;
    uint8_t packet[ERX_PACKET_BYTES_MAX];
} parked_t;

struct erx_clones {
    erx_clones_config_t config;
    uint64_t block;
    uint64_t next_order;
    bool look_again; /* at the parked ones: an account may have come since */
    asked_t keys[ERX_CLONES_KEYS_MAX];
    parked_t parked[ERX_CLONES_PARKED_MAX];
};

erx_status_t erx_clones_open(const erx_clones_config_t *config, erx_clones_t **clones_out,
                             erx_error_t *error)
{
    erx_clones_t *clones = erx_alloc(1, sizeof *clones);
    if (clones == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for transactions that wait");
    clones->config = *config;
    *clones_out = clones;
    return ERX_OK;
}

void erx_clones_close(erx_clones_t *clones)
{
    erx_free(clones);
}

/* Keys that are the runtime's own. */
static bool is_known(const erx_clones_t *clones, const erx_key_t *key)
{
    return erx_key_is_reserved(key) || erx_key_equals(key, &clones->config.program) ||
           erx_key_equals(key, &erx_key_memo) || erx_key_equals(key, &erx_key_memo_v1) ||
           erx_accounts_find(clones->config.accounts, key) != ERX_ACCOUNT_NONE;
}

static asked_t *find(erx_clones_t *clones, const erx_key_t *key)
{
    for (uint32_t i = 0; i < ERX_CLONES_KEYS_MAX; i++)
        if (clones->keys[i].state != KEY_FREE && erx_key_equals(&clones->keys[i].key, key))
            return &clones->keys[i];
    return NULL;
}

static bool has_expired(const erx_clones_t *clones, const asked_t *asked)
{
    return asked->state == KEY_MISSING && clones->block - asked->block >= ERX_CLONES_MISSING_BLOCKS;
}

static asked_t *find_place(erx_clones_t *clones)
{
    for (uint32_t i = 0; i < ERX_CLONES_KEYS_MAX; i++)
        if (clones->keys[i].state == KEY_FREE || has_expired(clones, &clones->keys[i]))
            return &clones->keys[i];
    return NULL;
}

/* Whether a transaction has to wait for an account; asks for it where nobody has. */
static bool waits_for(erx_clones_t *clones, const erx_key_t *key)
{
    if (is_known(clones, key))
        return false;
    asked_t *asked = find(clones, key);
    if (asked != NULL && !has_expired(clones, asked))
        return asked->state == KEY_ASKED;
    if (asked == NULL)
        asked = find_place(clones);
    if (asked == NULL)
        return false;
    *asked = (asked_t){.key = *key, .state = KEY_ASKED};
    clones->config.ask(clones->config.context, key);
    /* The embedder may have answered at once. */
    return asked->state == KEY_ASKED;
}

static bool waits(erx_clones_t *clones, const erx_message_t *message)
{
    bool any = false;
    for (uint32_t i = 0; i < message->key_count; i++)
        any |= waits_for(clones, erx_message_key(message, i));
    return any;
}

bool erx_clones_park(erx_clones_t *clones, const erx_intake_item_t *item)
{
    parked_t *parked = NULL;
    if (clones == NULL || item->error != ERX_TRANSACTION_OK)
        return false;
    for (uint32_t i = 0; i < ERX_CLONES_PARKED_MAX && parked == NULL; i++)
        if (clones->parked[i].state == PARKED_FREE)
            parked = &clones->parked[i];
    if (parked == NULL || !waits(clones, &item->message))
        return false;
    parked->state = PARKED_WAITS;
    parked->order = clones->next_order++;
    parked->item = *item;
    memcpy(parked->packet, item->packet, item->bytes);
    parked->item.packet = parked->packet;
    parked->item.message.packet = parked->packet;
    return true;
}

const erx_intake_item_t *erx_clones_take(erx_clones_t *clones)
{
    parked_t *oldest = NULL;
    if (clones == NULL || !clones->look_again)
        return NULL;
    for (uint32_t i = 0; i < ERX_CLONES_PARKED_MAX; i++) {
        parked_t *parked = &clones->parked[i];
        if (parked->state == PARKED_WAITS && (oldest == NULL || parked->order < oldest->order) &&
            !waits(clones, &parked->item.message))
            oldest = parked;
    }
    clones->look_again = oldest != NULL;
    if (oldest == NULL)
        return NULL;
    oldest->state = PARKED_TAKEN;
    return &oldest->item;
}

void erx_clones_done(erx_clones_t *clones, const erx_key_t *key)
{
    asked_t *asked = find(clones, key);
    if (asked == NULL)
        return;
    asked->state = is_known(clones, key) ? KEY_FREE : KEY_MISSING;
    asked->block = clones->block;
    clones->look_again = true;
}

void erx_clones_begin_block(erx_clones_t *clones)
{
    if (clones == NULL)
        return;
    clones->block++;
    clones->look_again = true;
    for (uint32_t i = 0; i < ERX_CLONES_PARKED_MAX; i++)
        if (clones->parked[i].state == PARKED_TAKEN)
            clones->parked[i].state = PARKED_FREE;
}
