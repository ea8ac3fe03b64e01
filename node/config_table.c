#include "node/config_table.h"

#define FIELD(name) offsetof(erx_config_t, name)
#define COUNT(title, field, least, greatest, initial, meaning)                                     \
    {                                                                                              \
        title, #field, ERX_SETTING_UNSIGNED32, FIELD(field), least, greatest, initial, meaning     \
    }
#define COUNT64(title, field, greatest, initial, meaning)                                          \
    {                                                                                              \
        title, #field, ERX_SETTING_UNSIGNED64, FIELD(field), 0, greatest, initial, meaning         \
    }
#define TEXT(title, field, initial, meaning)                                                       \
    {                                                                                              \
        title, #field, ERX_SETTING_TEXT, FIELD(field), 0, 0, initial, meaning                      \
    }

const erx_setting_t erx_settings[] = {
    TEXT("What runs", model, "models/world", "Directory of the model that sessions play."),
    TEXT(NULL, data, "erx-data", "Data directory: journal, checkpoints, ledger, keys."),
    TEXT(NULL, data_copy, "",
         "Directory of the journal's second copy, best on another device; empty: in data, or where "
         "it went when that was made."),
    TEXT(NULL, archive, "",
         "Directory where all records of the journal stay, for verification from the first block; "
         "empty: none."),
    TEXT(NULL, listen, "127.0.0.1:8899",
         "Address for HTTP and WebSocket; the next port takes WebSocket too. Port 0: any free "
         "pair."),
    TEXT(NULL, web, "", "Directory with another web page than the one that is built in."),
    COUNT(NULL, bots, 0, 4096, "0", "Sessions that play themselves."),
    TEXT(NULL, bot_policy, "", "Directory of the policy that plays them; empty: scripted players."),
    COUNT(NULL, seconds, 0, 31536000, "0", "Stop after so many seconds; 0: run until a signal."),
    COUNT(NULL, sessions_max, 1, 65536, "1024", "Sessions that may exist at once."),
    COUNT(NULL, workers, 0, 1024, "0", "Threads that execute frames; 0: one for every processor."),
    TEXT(NULL, cpu_list, "", "Processors for them, such as 0-3,8; empty: all that may be used."),
    TEXT(NULL, isa, "", "Kernels: scalar, avx2 or avx512vnni; empty: the best that runs here."),
    COUNT(NULL, verifiers, 0, 64, "1", "Threads that verify signatures."),
    COUNT(NULL, upload_models, 0, 16, "1", "Models that may arrive by transactions."),
    COUNT(NULL, upload_sessions, 1, 65536, "32", "Sessions of each of them."),

    {"Time", "tick_rate", ERX_SETTING_RATE, FIELD(tick_rate), 1, 1000, "60",
     "Frames a second of a session, a whole number or a fraction such as 60000/1001."},
    COUNT(NULL, block_time_us, 10000, 16000, "16000",
          "Longest wait of a transaction for its block, in microseconds."),
    COUNT(NULL, task_interval_min_ms, 1, 60000, "10",
          "Shortest interval of the crank, in milliseconds: tick_rate may not be faster."),
    COUNT(NULL, session_divisor, 1, 60, "1",
          "New sessions compute one frame in so many ticks; 4 is 15 frames a second at 60 ticks."),
    {NULL, "interpolate", ERX_SETTING_SWITCH, FIELD(interpolate), 0, 0, "yes",
     "Who watches such a session at commitment processed is told of states between frames, one "
     "frame late."},
    {NULL, "strict_inputs", ERX_SETTING_SWITCH, FIELD(strict_inputs), 0, 0, "no",
     "Ticks wait for both players' inputs; otherwise a missing player's last one holds."},

    COUNT64("Execution", transaction_units_max, UINT64_MAX, "40000000",
            "Compute units of a transaction; more is cut to this."),
    COUNT64(NULL, block_units_max, UINT64_MAX, "0", "Compute units of a block; 0: no limit."),
    COUNT64(NULL, fee_per_signature, 1000000000, "0", "Lamports that a signature costs."),
    COUNT(NULL, queue_transactions, 64, 1048576, "4096",
          "Transactions that may wait for a block, a power of two; more are refused as busy."),
    COUNT(NULL, blockhash_blocks, 150, 65536, "4096",
          "Blocks that a blockhash stays valid: about a minute, as clients expect."),
    COUNT(NULL, restart_ms, 100, 60000, "1000",
          "How long re-executing after a crash may take, in milliseconds: shorter means more "
          "checkpoints."),
    COUNT64(NULL, airdrop_lamports_max, UINT64_MAX, "1000000000000",
            "Greatest airdrop, in lamports; 0 refuses all."),

    COUNT("Network", connections_max, 16, 65536, "4096", "Connections at once, over all ports."),
    COUNT(NULL, body_bytes_max, 2048, 16777216, "262144", "Longest request body or message."),
    COUNT(NULL, header_bytes_max, 1024, 65535, "8192", "Longest HTTP request header."),
    COUNT(NULL, header_seconds_max, 1, 600, "10",
          "A request's header and body must be there within so many seconds."),
    COUNT(NULL, idle_seconds_max, 1, 86400, "300",
          "An HTTP connection without a request is closed after so many seconds."),
    COUNT(NULL, requests_per_second_max, 1, 1000000, "20000",
          "Requests a second of a connection; more get 429 or an error."),
    COUNT(NULL, requests_pending_max, 1, 4096, "64",
          "Unanswered requests of a WebSocket; it is not read while there are more."),
    COUNT(NULL, batch_max, 1, 4096, "256", "Requests of a JSON-RPC batch."),
    COUNT(NULL, subscriptions_max, 1, 65536, "1024", "Subscriptions of a WebSocket."),
    COUNT(NULL, notifications_queued_max, 2, 65536, "64",
          "Notifications that wait for a slow reader, for each subscription; older ones of the "
          "same account are dropped first, and counted."),
    COUNT(NULL, notification_bytes_max, 65536, 1073741824, "16777216",
          "Bytes of notifications that wait for a slow reader, over its subscriptions."),
    COUNT(NULL, ping_seconds, 1, 3600, "30",
          "A quiet WebSocket is pinged after so many seconds and closed after twice as many."),

    COUNT("History", history_transactions_max, 1000, 10000000, "100000",
          "Transactions that getTransaction and getSignaturesForAddress remember."),
    COUNT(NULL, replay_frames_max, 600, 72000, "36000",
          "Newest frames of a session that can be replayed: ten minutes at 60 a second."),
    COUNT(NULL, replay_megabytes_max, 16, 1048576, "1024",
          "MiB of the files of all replays; those of sessions that are over go first."),

    TEXT("Base layer", base_url, "",
         "HTTP address of a Solana RPC node; empty: the ledger in the data directory."),
    TEXT(NULL, base_websocket_url, "", "Its WebSocket address; empty: the next port of base_url."),
    TEXT(NULL, identity, "",
         "Keypair file of this validator; empty: identity.json in the data directory, made where "
         "there is none."),
    COUNT(NULL, settle_interval_ms, 0, 86400000, "0",
          "Settle every session to the base layer so often, in milliseconds; 0: when it ends or "
          "is undelegated."),

    {"What is told", "log_level", ERX_SETTING_LEVEL, FIELD(log_level), 0, 0, "info",
     "error, warning, info or debug."},
    {NULL, "status_line", ERX_SETTING_SWITCH, FIELD(status_line), 0, 0, "yes",
     "A line with live figures where stderr is a terminal: yes or no."},
};

const size_t erx_setting_count = ERX_ARRAY_COUNT(erx_settings);
