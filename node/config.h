/* The validator's settings: defaults, a file of `name = value` lines, and the
 * command line, later ones winning. One table (config_table.c) names, describes
 * and checks every setting; the documented file is printed from it. */
#ifndef ERX_NODE_CONFIG_H
#define ERX_NODE_CONFIG_H

#include "node/failure.h"
#include "node/log.h"

#include <stdio.h>

#define ERX_CONFIG_TEXT_MAX 512u /* longest path, address or URL, terminated */

/* Frames or blocks a second as a fraction: 60, 60000/1001. */
typedef struct {
    uint32_t numerator;
    uint32_t denominator;
} erx_rate_t;

typedef struct {
    /* What runs. */
    char model[ERX_CONFIG_TEXT_MAX];
    char data[ERX_CONFIG_TEXT_MAX];
    char data_copy[ERX_CONFIG_TEXT_MAX]; /* empty: in data, or where it went before */
    char archive[ERX_CONFIG_TEXT_MAX];   /* empty: none */
    char listen[ERX_CONFIG_TEXT_MAX];
    char web[ERX_CONFIG_TEXT_MAX]; /* empty: the page that is part of the program */
    uint32_t bots;
    char bot_policy[ERX_CONFIG_TEXT_MAX]; /* empty: scripted players */
    uint32_t seconds;                     /* 0: until a signal */
    uint32_t sessions_max;
    uint32_t workers;                   /* 0: one for every processor */
    char cpu_list[ERX_CONFIG_TEXT_MAX]; /* empty: every processor that may be used */
    char isa[ERX_CONFIG_TEXT_MAX];      /* empty: the best */
    uint32_t verifiers;
    uint32_t upload_models;
    uint32_t upload_sessions;
    /* Time. */
    erx_rate_t tick_rate;
    uint32_t block_time_us;
    uint32_t task_interval_min_ms;
    uint32_t session_divisor;
    bool interpolate;
    bool strict_inputs;
    /* Execution. */
    uint64_t transaction_units_max;
    uint64_t block_units_max;
    uint64_t fee_per_signature;
    uint64_t airdrop_lamports_max;
    uint32_t queue_transactions;
    uint32_t blockhash_blocks;
    uint32_t restart_ms;
    /* The network. */
    uint32_t connections_max;
    uint32_t body_bytes_max;
    uint32_t header_bytes_max;
    uint32_t header_seconds_max;
    uint32_t idle_seconds_max;
    uint32_t requests_per_second_max;
    uint32_t requests_pending_max;
    uint32_t batch_max;
    uint32_t subscriptions_max;
    uint32_t notifications_queued_max;
    uint32_t notification_bytes_max;
    uint32_t ping_seconds;
    /* History. */
    uint32_t history_transactions_max;
    uint32_t replay_frames_max;
    uint32_t replay_megabytes_max;
    /* The base layer. */
    char base_url[ERX_CONFIG_TEXT_MAX];           /* empty: the embedded ledger */
    char base_websocket_url[ERX_CONFIG_TEXT_MAX]; /* empty: made from base_url */
    char identity[ERX_CONFIG_TEXT_MAX];           /* keypair file; empty: in the data directory */
    uint32_t settle_interval_ms;
    /* What is told. */
    erx_log_level_t log_level;
    bool status_line;
} erx_config_t;

/* Every setting at its default. */
void erx_config_defaults(erx_config_t *config_out);

/* Sets one setting by name, as the file does; the failure names it and says what
 * it takes. */
bool erx_config_set(erx_config_t *config, const char *name, const char *value,
                    erx_failure_t *failure);

/* Reads a file over config: empty lines and lines that begin with # are
 * skipped; a name may stand once. The failure names file and line; config is
 * then of no use. */
bool erx_config_read(erx_config_t *config, const char *path, erx_failure_t *failure);

/* Whether the settings go together, when all are read; the failure says which
 * one to change. */
bool erx_config_check(const erx_config_t *config, erx_failure_t *failure);

/* Prints a file with every setting, its meaning and its value in config. */
void erx_config_print(const erx_config_t *config, FILE *stream);

/* Splits "HOST:PORT" ("[::1]:8899" for IPv6); a port of at most 65534, for the
 * next one is the WebSocket's. 0 asks the system for two free ones. */
bool erx_config_address(const char *text, char host_out[ERX_CONFIG_TEXT_MAX], uint16_t *port_out,
                        erx_failure_t *failure);

#endif
