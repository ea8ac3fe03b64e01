#include "node/rpc_client.h"

#include "node/json_reader.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_BYTES_MAX ((size_t)64 << 20)
#define REQUEST_MAX      ((size_t)16 << 20)

struct erx_rpc_client {
    CURL *curl;
    struct curl_slist *headers;
    erx_text_t request;
    erx_text_t answer;
    char reason[CURL_ERROR_SIZE];
};

static size_t on_data(char *bytes, size_t size, size_t count, void *context)
{
    erx_text_t *answer = context;
    erx_text_append(answer, bytes, size * count);
    return answer->overflowed ? 0 : size * count;
}

erx_rpc_client_t *erx_rpc_client_open(const char *url, uint32_t timeout_ms)
{
    erx_rpc_client_t *client = calloc(1, sizeof *client);
    if (client == NULL)
        return NULL;
    erx_text_open(&client->request, REQUEST_MAX);
    erx_text_open(&client->answer, ANSWER_BYTES_MAX);
    client->curl = curl_easy_init();
    client->headers = curl_slist_append(NULL, "Content-Type: application/json");
    if (client->curl == NULL || client->headers == NULL) {
        erx_rpc_client_close(client);
        return NULL;
    }
    (void)curl_easy_setopt(client->curl, CURLOPT_URL, url);
    (void)curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, client->headers);
    (void)curl_easy_setopt(client->curl, CURLOPT_WRITEFUNCTION, on_data);
    (void)curl_easy_setopt(client->curl, CURLOPT_ERRORBUFFER, client->reason);
    (void)curl_easy_setopt(client->curl, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    (void)curl_easy_setopt(client->curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(client->curl, CURLOPT_TCP_NODELAY, 1L);
    return client;
}

void erx_rpc_client_close(erx_rpc_client_t *client)
{
    if (client == NULL)
        return;
    curl_easy_cleanup(client->curl);
    curl_slist_free_all(client->headers);
    erx_text_close(&client->request);
    erx_text_close(&client->answer);
    free(client);
}

bool erx_rpc_client_exchange(erx_rpc_client_t *client, const erx_text_t *body, erx_text_t *answer,
                             erx_failure_t *failure)
{
    long status = 0;
    erx_text_clear(answer);
    client->reason[0] = '\0';
    (void)curl_easy_setopt(client->curl, CURLOPT_WRITEDATA, answer);
    if (body != NULL) {
        (void)curl_easy_setopt(client->curl, CURLOPT_POSTFIELDSIZE, (long)body->length);
        (void)curl_easy_setopt(client->curl, CURLOPT_POSTFIELDS, body->bytes);
    } else {
        (void)curl_easy_setopt(client->curl, CURLOPT_HTTPGET, 1L);
    }
    CURLcode code = curl_easy_perform(client->curl);
    if (code != CURLE_OK)
        return erx_failure_set(
            failure, "%s", client->reason[0] != '\0' ? client->reason : curl_easy_strerror(code));
    (void)curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
    return status == 200 || erx_failure_set(failure, "HTTP status %ld", status);
}

json_t *erx_rpc_client_call(erx_rpc_client_t *client, const char *method, const char *params,
                            erx_failure_t *failure)
{
    erx_text_clear(&client->request);
    erx_text_print(&client->request,
                   "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}", method,
                   params);
    if (!erx_rpc_client_exchange(client, &client->request, &client->answer, failure))
        return NULL;
    json_t *json = erx_json_read(client->answer.bytes, client->answer.length, failure);
    if (json == NULL)
        return NULL;
    json_t *result = json_incref(json_object_get(json, "result"));
    if (result == NULL) {
        const char *message = erx_json_member_text(json_object_get(json, "error"), "message");
        (void)erx_failure_set(failure, "%s: %.400s", method,
                              message != NULL ? message : "an answer without a result");
    }
    json_decref(json);
    return result;
}
