#include "tests/golden/hashes.h"

#include "tests/support/check_main.h"

#include <inttypes.h>
#include <stdio.h>

void hashes_read(const char *directory, uint32_t game, hashes_t *hashes_out)
{
    char path[4096];
    char end;
    (void)snprintf(path, sizeof path, "%s/world_%u.hashes", directory, game);
    FILE *file = fopen(path, "r");
    ck_assert_msg(file != NULL, "%s cannot be read", path);
    hashes_out->game = game;
    for (uint32_t i = 0; i < HASHES_FRAMES; i++) {
        uint32_t frame = 0;
        int count =
            fscanf(file, "%" SCNu32 " %16" SCNx64 "%c", &frame, &hashes_out->expected[i], &end);
        if (count != 3 || frame != i + 1 || end != '\n')
            ck_abort_msg("%s: line %u is not '%u <hash>'", path, i + 1, i + 1);
    }
    ck_assert_msg(fgetc(file) == EOF, "%s: more than %u lines", path, HASHES_FRAMES);
    (void)fclose(file);
}
