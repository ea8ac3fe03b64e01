#include "tests/mem/weights_fixture.h"

#include "tests/support/child.h"
#include "tests/support/scratch.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static void sleep_ms(uint32_t milliseconds)
{
    struct timespec pause = {.tv_sec = milliseconds / 1000,
                             .tv_nsec = (long)(milliseconds % 1000) * 1000000};
    (void)nanosleep(&pause, NULL);
}

fixture_t fixture_open(void)
{
    fixture_t fixture = {
        .root = "/tmp/erx-test-XXXXXX",
        .key = {.layout = "reference", .layout_version = 7},
        .size = IMAGE_BYTES,
        .meeting = erx_child_share(sizeof(meeting_t)),
    };
    memset(fixture.key.model_hash, 0x31, sizeof fixture.key.model_hash);
    ck_assert_ptr_nonnull(mkdtemp(fixture.root));
    (void)snprintf(fixture.user_directory, sizeof fixture.user_directory, "%s/erx-%u", fixture.root,
                   (unsigned)geteuid());
    return fixture;
}

void fixture_close(fixture_t *fixture)
{
    erx_scratch_remove(fixture->root);
    (void)munmap(fixture->meeting, sizeof *fixture->meeting);
}

static uint8_t image_byte(size_t offset)
{
    return (uint8_t)(offset * 7 + offset / 4096 + 1);
}

static erx_status_t fill_image(void *context, uint8_t *bytes, size_t size, erx_error_t *error)
{
    fixture_t *fixture = context;
    (void)atomic_fetch_add(&fixture->meeting->fills, 1);
    sleep_ms(fixture->fill_ms);
    if (fixture->fill_status != ERX_OK)
        return erx_error_set(error, fixture->fill_status, "packing failed as told");
    for (size_t offset = 0; offset < size; offset++) {
        if (bytes[offset] != 0)
            return erx_error_set(error, ERX_ERR_STATE, "byte %zu is not zero", offset);
        bytes[offset] = image_byte(offset);
    }
    return ERX_OK;
}

erx_weights_t *fixture_attach(fixture_t *fixture, erx_error_t *error)
{
    erx_weights_t *weights = NULL;
    erx_status_t status = erx_weights_attach_at(fixture->root, &fixture->key, fixture->size,
                                                ERX_NODE_ANY, fill_image, fixture, &weights, error);
    return status == ERX_OK ? weights : NULL;
}

erx_weights_t *fixture_attach_or_fail(fixture_t *fixture)
{
    erx_error_t error = {0};
    erx_weights_t *weights = fixture_attach(fixture, &error);
    ck_assert_msg(weights != NULL, "%s", error.text);
    return weights;
}

bool fixture_image_is_right(const fixture_t *fixture, const erx_weights_t *weights)
{
    const uint8_t *bytes = erx_weights_bytes(weights);
    for (size_t offset = 0; offset < fixture->size; offset++)
        if (bytes[offset] != image_byte(offset))
            return false;
    return true;
}

/* Number of entries, the lock aside, and the name of the last. */
static uint32_t list(const char *path, char last_out[256])
{
    DIR *directory = opendir(path);
    if (directory == NULL)
        return 0;
    uint32_t count = 0;
    const struct dirent *entry;
    while ((entry = readdir(directory)) != NULL) {
        if (entry->d_name[0] == '.' || strcmp(entry->d_name, "lock") == 0)
            continue;
        count++;
        (void)snprintf(last_out, 256, "%s", entry->d_name);
    }
    (void)closedir(directory);
    return count;
}

bool fixture_find_key_directory(const fixture_t *fixture, char path_out[128])
{
    char name[256];
    uint32_t count = list(fixture->user_directory, name);
    ck_assert_uint_le(count, 1);
    (void)snprintf(path_out, 128, "%s/%.40s", fixture->user_directory, name);
    return count == 1;
}

uint32_t fixture_count_publications(const fixture_t *fixture, char name_out[256])
{
    char directory[128];
    if (!fixture_find_key_directory(fixture, directory))
        return 0;
    char name[256];
    uint32_t count = list(directory, name);
    if (count > 0 && name_out != NULL)
        (void)snprintf(name_out, 256, "%.60s", name);
    return count;
}

void fixture_plant(const fixture_t *fixture, const char *name)
{
    char directory[128];
    ck_assert(fixture_find_key_directory(fixture, directory));
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    (void)close(fd);
}

void fixture_await(const _Atomic uint32_t *word, uint32_t value)
{
    while (atomic_load(word) < value)
        sleep_ms(1);
}

int fixture_hold(void *context)
{
    fixture_t *fixture = context;
    meeting_t *meeting = fixture->meeting;
    erx_error_t error;
    erx_weights_t *weights = fixture_attach(fixture, &error);
    ERX_CHILD_CHECK(weights != NULL);
    ERX_CHILD_CHECK(fixture_image_is_right(fixture, weights));
    (void)atomic_fetch_add(&meeting->shared, erx_weights_shared(weights) ? 1 : 0);
    (void)atomic_fetch_add(&meeting->attached, 1);
    fixture_await(&meeting->may_leave, 1);
    erx_weights_detach(weights);
    return 0;
}
