/* Writes inputs of fuzz_rpc, fuzz_http and fuzz_websocket.
 *
 *   usage: seed_node READ.seed SEND.seed BATCH.seed GET.seed POST.seed PIPELINE.seed
 *                    FRAMES.seed RAW.seed */
#include "mem/assert.h"
#include "mem/base.h"
#include "tests/support/file.h"

#include <stdio.h>

#define KEY "WrLd111111111111111111111111111111111111111"
#define CALL(method, params)                                                                       \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"" method "\",\"params\":[" params "]}"
#define OPTIONS "{\"encoding\":\"base64\",\"commitment\":\"processed\"}"

/* clang-format off */
static const char read_accounts[] =
    "[" CALL("getAccountInfo", "\"" KEY "\"," OPTIONS) ","
    CALL("getMultipleAccounts", "[\"" KEY "\"],{\"dataSlice\":{\"offset\":1,\"length\":4}}") ","
    CALL("getProgramAccounts", "\"" KEY "\",{\"encoding\":\"base64+zstd\",\"withContext\":true,"
         "\"filters\":[{\"dataSize\":256},{\"memcmp\":{\"offset\":8,\"bytes\":\"2\"}}]}") ","
    CALL("getBalance", "\"" KEY "\"") "," CALL("getMinimumBalanceForRentExemption", "256") "]";

static const char send[] =
    "[" CALL("requestAirdrop", "\"" KEY "\",5") ","
    CALL("sendTransaction", "\"AQAA\",{\"encoding\":\"base64\",\"skipPreflight\":true}") ","
    CALL("simulateTransaction", "\"AQAA\",{\"encoding\":\"base64\",\"sigVerify\":false,"
         "\"replaceRecentBlockhash\":true,\"accounts\":{\"addresses\":[\"" KEY "\"]}}") ","
    CALL("getFeeForMessage", "\"AQAB\"") "]";

static const char batch[] =
    "[" CALL("getSignatureStatuses", "[],{\"searchTransactionHistory\":true}") ","
    CALL("getSignaturesForAddress", "\"" KEY "\",{\"limit\":10}") ","
    CALL("getLatestBlockhash", "{\"commitment\":\"finalized\",\"minContextSlot\":1}") ","
    CALL("getEpochInfo", "") "," CALL("isBlockhashValid", "\"" KEY "\"") ","
    CALL("getDelegationStatus", "\"" KEY "\"") ","
    CALL("getBlockhashForAccounts", "[\"" KEY "\"]")
    ",{\"jsonrpc\":\"2.0\",\"id\":18446744073709551615,\"method\":\"getSlot\"}"
    ",{\"jsonrpc\":\"2.0\",\"method\":\"ping\"}]";
/* clang-format on */

static const char get[] = "GET /metrics HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n"
                          "GET /auth/challenge?pubkey=" KEY " HTTP/1.1\r\nHost: a\r\n\r\n"
                          "OPTIONS / HTTP/1.1\r\nOrigin: b\r\n\r\nHEAD / HTTP/1.1\r\n\r\n";

static const char post[] = "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                           "Connection: keep-alive\r\nContent-Length: 45\r\n\r\n"
                           "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"getHealth\"}";

static const char pipeline[] = "POST / HTTP/1.1\r\nContent-Length: 114\r\n\r\n" CALL(
    "requestAirdrop",
    "\"" KEY
    "\",5") "\r\nPOST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}GET /health HTTP/1.1\r\n\r\n";

/* First byte of a frame, length, payload. */
static const char frames[] = "F\x81/{\"id\":1,\"method\":\"slotSubscribe\",\"params\":[]}"
                             "\x89\x01p"
                             "\x01\x17{\"id\":2,\"method\":\"logsSu"
                             "\x80\x18"
                             "bscribe\",\"params\":[\"all\"]}"
                             "\x81/{\"id\":3,\"method\":\"slotUnsubscribe\",\"params\":[1]}"
                             "\x88\x02\x03\xe8";

static const char raw[] = "R\x81\x83\x01\x02\x03\x04zy~\x82\xfe\x01\x00\x00\x00\x00\x00{}";

int main(int argument_count, char **arguments)
{
    const struct {
        const char *bytes;
        size_t size;
    } seeds[] = {
        {read_accounts, sizeof read_accounts - 1},
        {send, sizeof send - 1},
        {batch, sizeof batch - 1},
        {get, sizeof get - 1},
        {post, sizeof post - 1},
        {pipeline, sizeof pipeline - 1},
        {frames, sizeof frames - 1},
        {raw, sizeof raw - 1},
    };
    ERX_ASSERT(argument_count == 1 + (int)ERX_COUNT(seeds));
    for (size_t i = 0; i < ERX_COUNT(seeds); i++)
        erx_file_write(arguments[i + 1], seeds[i].bytes, seeds[i].size);
    return 0;
}
