#include "node/keypair.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SEED_BYTES     32u
#define FILE_BYTES_MAX 1024u

static bool derive_public(const uint8_t seed[SEED_BYTES], uint8_t public_out[ERX_PUBKEY_SIZE])
{
    size_t size = ERX_PUBKEY_SIZE;
    EVP_PKEY *pair = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, SEED_BYTES);
    bool is_derived = pair != NULL && EVP_PKEY_get_raw_public_key(pair, public_out, &size) == 1;
    EVP_PKEY_free(pair);
    return is_derived;
}

erx_pubkey_t erx_keypair_public(const erx_keypair_t *keypair)
{
    erx_pubkey_t key;
    memcpy(key.bytes, keypair->bytes + SEED_BYTES, sizeof key.bytes);
    return key;
}

bool erx_keypair_make(erx_keypair_t *keypair_out, erx_failure_t *failure)
{
    if (RAND_bytes(keypair_out->bytes, SEED_BYTES) == 1 &&
        derive_public(keypair_out->bytes, keypair_out->bytes + SEED_BYTES))
        return true;
    return erx_failure_set(failure, "no key could be made: the system gives no random numbers");
}

static bool parse(const json_t *json, erx_keypair_t *keypair_out)
{
    if (json_array_size(json) != ERX_KEYPAIR_BYTES)
        return false;
    for (size_t i = 0; i < ERX_KEYPAIR_BYTES; i++) {
        const json_t *number = json_array_get(json, i);
        json_int_t value = json_integer_value(number);
        if (!json_is_integer(number) || value < 0 || value > UINT8_MAX)
            return false;
        keypair_out->bytes[i] = (uint8_t)value;
    }
    uint8_t public_key[ERX_PUBKEY_SIZE];
    return derive_public(keypair_out->bytes, public_key) &&
           memcmp(public_key, keypair_out->bytes + SEED_BYTES, sizeof public_key) == 0;
}

bool erx_keypair_read(const char *path, erx_keypair_t *keypair_out, erx_failure_t *failure)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return erx_failure_set(failure, "%.300s: %s", path, strerror(errno));
    char text[FILE_BYTES_MAX];
    size_t size = fread(text, 1, sizeof text, file);
    (void)fclose(file);
    json_error_t error;
    json_t *json = size < sizeof text ? json_loadb(text, size, 0, &error) : NULL;
    bool is_read = parse(json, keypair_out);
    json_decref(json);
    if (is_read)
        return true;
    return erx_failure_set(failure,
                           "%.300s is no keypair file: it must be a JSON array of 64 numbers, a "
                           "seed and its public key",
                           path);
}

bool erx_keypair_write(const char *path, const erx_keypair_t *keypair, erx_failure_t *failure)
{
    char text[FILE_BYTES_MAX] = "";
    size_t length = 0;
    for (size_t i = 0; i < ERX_KEYPAIR_BYTES; i++)
        length += (size_t)snprintf(text + length, sizeof text - length, "%s%u", i > 0 ? "," : "[",
                                   keypair->bytes[i]);
    length += (size_t)snprintf(text + length, sizeof text - length, "]\n");
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0)
        return erx_failure_set(failure, "%.300s: %s", path, strerror(errno));
    bool is_written = write(file, text, length) == (ssize_t)length && fsync(file) == 0;
    int reason = errno;
    (void)close(file);
    if (is_written)
        return true;
    (void)unlink(path);
    return erx_failure_set(failure, "%.300s: %s", path, strerror(reason));
}

bool erx_keypair_ensure(const char *path, erx_keypair_t *keypair_out, erx_failure_t *failure)
{
    if (access(path, F_OK) == 0)
        return erx_keypair_read(path, keypair_out, failure);
    return erx_keypair_make(keypair_out, failure) && erx_keypair_write(path, keypair_out, failure);
}
