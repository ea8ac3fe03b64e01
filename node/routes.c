#include "node/routes.h"

#include "node/auth.h"
#include "node/replay_page.h"
#include "node/web_pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_BYTES_MAX ((size_t)64 << 20)

struct erx_routes {
    erx_routes_config_t config;
    erx_auth_t auth;
    erx_text_t text;
};

erx_routes_t *erx_routes_open(const erx_routes_config_t *config, erx_failure_t *failure)
{
    erx_routes_t *routes = calloc(1, sizeof *routes);
    if (routes == NULL) {
        (void)erx_failure_set(failure, "no memory for the pages");
        return NULL;
    }
    routes->config = *config;
    erx_text_open(&routes->text, ANSWER_BYTES_MAX);
    if (erx_auth_open(&routes->auth, failure))
        return routes;
    free(routes);
    return NULL;
}

void erx_routes_close(erx_routes_t *routes)
{
    if (routes == NULL)
        return;
    erx_text_close(&routes->text);
    free(routes);
}

static void answer_health(erx_routes_t *routes, const erx_server_message_t *message)
{
    bool is_well = erx_rollup_health(routes->config.rollup) == ERX_STATUS_OK;
    erx_text_print(&routes->text, "%s\n", is_well ? "ok" : erx_last_error());
    erx_server_respond(message->connection, is_well ? 200 : 503, "text/plain", &routes->text);
}

static void answer_metrics(erx_routes_t *routes, const erx_server_message_t *message)
{
    routes->config.write_metrics(routes->config.context, &routes->text);
    erx_server_respond(message->connection, 200, "text/plain; version=0.0.4", &routes->text);
}

static void answer_page(erx_routes_t *routes, const erx_server_message_t *message)
{
    const char *content_type;
    if (erx_web_page_read(routes->config.config->web, message->path, &routes->text,
                          &content_type)) {
        erx_server_respond(message->connection, 200, content_type, &routes->text);
        return;
    }
    erx_text_clear(&routes->text);
    erx_text_print(&routes->text, "there is no such page\n");
    erx_server_respond(message->connection, 404, "text/plain", &routes->text);
}

void erx_routes_answer(erx_routes_t *routes, const erx_server_message_t *message)
{
    erx_text_clear(&routes->text);
    if (strcmp(message->path, "/health") == 0)
        answer_health(routes, message);
    else if (strcmp(message->path, "/metrics") == 0)
        answer_metrics(routes, message);
    else if (strncmp(message->path, "/auth/", 6) == 0)
        erx_auth_answer(&routes->auth, message, &routes->text);
    else if (strncmp(message->path, ERX_REPLAY_PATH, strlen(ERX_REPLAY_PATH)) == 0)
        erx_replay_page_answer(routes->config.rollup, routes->config.recordings, message,
                               &routes->text);
    else
        answer_page(routes, message);
}
