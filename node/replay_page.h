/* GET /replay/SESSION?from=FRAME&count=FRAMES: a session's recorded frames. */
#ifndef ERX_NODE_REPLAY_PAGE_H
#define ERX_NODE_REPLAY_PAGE_H

#include "node/recordings.h"
#include "node/server.h"

#define ERX_REPLAY_PATH "/replay/"

/* Answers a request whose path begins with ERX_REPLAY_PATH, writing into text.
 * recordings may be NULL: nothing is recorded. */
void erx_replay_page_answer(const erx_rollup_t *rollup, const erx_recordings_t *recordings,
                            const erx_server_message_t *message, erx_text_t *text);

#endif
