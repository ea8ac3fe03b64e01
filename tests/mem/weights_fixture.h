/* What the tests of shared weights have in common: a directory in place of
 * /dev/shm, an image that can be recognized, a count of how often it was
 * packed, and a look at what is published. */
#ifndef ERX_TESTS_MEM_WEIGHTS_FIXTURE_H
#define ERX_TESTS_MEM_WEIGHTS_FIXTURE_H

#include "mem/region.h"
#include "mem/weights.h"

#include <stdatomic.h>

#define IMAGE_BYTES ((size_t)5000000) /* not a multiple of any page */

/* Seen by parent and children. */
typedef struct {
    _Atomic uint32_t fills;     /* images packed, over all processes */
    _Atomic uint32_t attached;  /* children that have attached */
    _Atomic uint32_t shared;    /* of these, those that share */
    _Atomic uint32_t may_leave; /* set by the parent */
} meeting_t;

typedef struct {
    char root[32];
    char user_directory[64];
    erx_weights_key_t key;
    size_t size;
    erx_status_t fill_status; /* what the fill function answers */
    uint32_t fill_ms;         /* how long it takes */
    meeting_t *meeting;
} fixture_t;

fixture_t fixture_open(void);

/* Removes the directory with all that is left in it. */
void fixture_close(fixture_t *fixture);

/* Attaches under the fixture's root; NULL with *error filled when it fails. */
erx_weights_t *fixture_attach(fixture_t *fixture, erx_error_t *error);

/* Attaches and fails the test when it cannot. */
erx_weights_t *fixture_attach_or_fail(fixture_t *fixture);

/* Whether the image has the bytes that the fill function writes. */
bool fixture_image_is_right(const fixture_t *fixture, const erx_weights_t *weights);

/* Path of the only key's directory; false when there is none. */
bool fixture_find_key_directory(const fixture_t *fixture, char path_out[128]);

/* Number of publications of the only key. If there is one, name_out (may be
 * NULL) receives the name of the last. */
uint32_t fixture_count_publications(const fixture_t *fixture, char name_out[256]);

/* Makes a publication in the only key's directory. */
void fixture_plant(const fixture_t *fixture, const char *name);

/* Waits until *word is at least value. */
void fixture_await(const _Atomic uint32_t *word, uint32_t value);

/* erx_child_fn of a holder: attaches, reports in the meeting, stays until it
 * may leave, detaches. context is the fixture. */
int fixture_hold(void *context);

#endif
