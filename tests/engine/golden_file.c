#include "tests/engine/golden_file.h"

#include "tests/support/check_main.h"

#include <string.h>

enum { /* offsets in the file */
       AT_FRAMES = 8,
       AT_REGRESSIONS = 12,
       AT_LOGITS = 16,
       AT_WARM = 20,
       HEADER_BYTES = 24
};

enum { /* offsets in a frame */
       AT_FRAME_NEXT = GOLDEN_WORLD_BYTES,
       AT_FRAME_OUT = AT_FRAME_NEXT + ERX_PLAYERS * ERX_CONTROLLER_BYTES,
       AT_FRAME_LOGITS = AT_FRAME_OUT + 4 * ERX_REGRESSIONS,
       AT_FRAME_HASH = AT_FRAME_LOGITS + 4 * ERX_LOGITS
};

ERX_STATIC_ASSERT(AT_FRAME_HASH + 8 == GOLDEN_FRAME_BYTES, "a frame is its parts");

static uint32_t get_u32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

bool golden_file_open(const char *relative, golden_file_t *golden_out)
{
    golden_file_t golden;
    if (!erx_shared_map(relative, &golden.file))
        return false;
    const uint8_t *bytes = golden.file.bytes;
    ck_assert_uint_gt(golden.file.size, HEADER_BYTES);
    ck_assert_mem_eq(bytes, "AWMGOLD1", 8);
    golden.frame_count = get_u32(bytes + AT_FRAMES);
    golden.warm = get_u32(bytes + AT_WARM);
    ck_assert_uint_eq(get_u32(bytes + AT_REGRESSIONS), ERX_REGRESSIONS);
    ck_assert_uint_eq(get_u32(bytes + AT_LOGITS), ERX_LOGITS);
    ck_assert_uint_gt(golden.frame_count, 0);
    ck_assert_uint_eq(golden.file.size,
                      HEADER_BYTES + (size_t)golden.frame_count * GOLDEN_FRAME_BYTES);
    *golden_out = golden;
    return true;
}

golden_frame_t golden_file_frame(const golden_file_t *golden, uint32_t frame)
{
    const uint8_t *at = golden->file.bytes + HEADER_BYTES + (size_t)frame * GOLDEN_FRAME_BYTES;
    golden_frame_t result = {
        .world = at,
        .control = (const uint8_t(*)[ERX_CONTROLLER_BYTES])(at + AT_FRAME_NEXT),
        .regressions = at + AT_FRAME_OUT,
        .logits = at + AT_FRAME_LOGITS,
    };
    memcpy(&result.hash, at + AT_FRAME_HASH, sizeof result.hash);
    return result;
}

void golden_file_close(golden_file_t *golden)
{
    erx_shared_unmap(&golden->file);
}
