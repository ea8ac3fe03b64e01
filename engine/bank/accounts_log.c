/* What the next record takes: patches of pages, in the order of writing. An
 * entry of the table has one patch a record, made when the first group of
 * changes to it commits and brought up to date by later ones: who pays for a
 * hundred transactions of a block costs one. */
#include <string.h>

#include "engine/bank/accounts_parts.h"
#include "mem/assert.h"

#define ENTRY_BYTES ((uint32_t)sizeof(erx_account_entry_t))

static uint32_t padded(uint32_t length)
{
    return ERX_ALIGN_UP(length, ERX_PATCH_ALIGNMENT);
}

static uint32_t page_part(uint64_t place, uint64_t size)
{
    uint32_t left = ERX_ACCOUNTS_PAGE_BYTES - (uint32_t)(place % ERX_ACCOUNTS_PAGE_BYTES);
    return (uint32_t)ERX_MIN(size, left);
}

uint64_t erx_accounts_patch_room(uint64_t place, uint64_t size, bool zeros)
{
    uint64_t room = 0;
    while (size > 0) {
        uint32_t part = page_part(place, size);
        room += sizeof(erx_patch_t) + (zeros ? 0 : padded(part));
        place += part;
        size -= part;
    }
    return room;
}

uint64_t erx_accounts_entry_log_room(const erx_accounts_t *accounts, uint32_t index)
{
    bool is_counted =
        accounts->entry_patch[index] != 0 || accounts->changed_in[index] == accounts->group;
    return is_counted ? 0 : sizeof(erx_patch_t) + ENTRY_BYTES;
}

/* Adds a patch inside one page; there is room. */
static erx_patch_t *append(erx_accounts_t *accounts, uint64_t place, const void *bytes,
                           uint32_t size)
{
    uint32_t page = (uint32_t)(place / ERX_ACCOUNTS_PAGE_BYTES);
    erx_page_log_t *page_log = &accounts->pages[page];
    if (page_log->last == 0)
        accounts->written[accounts->written_count++] = page;
    erx_patch_t *patch = (erx_patch_t *)(void *)(accounts->log + accounts->log_bytes);
    uint32_t body = bytes == NULL ? 0 : padded(size);
    ERX_ASSERT(sizeof *patch + body <= accounts->config.write_log_bytes - accounts->log_bytes);
    *patch = (erx_patch_t){
        .page = page,
        .offset = (uint32_t)(place % ERX_ACCOUNTS_PAGE_BYTES),
        .length = bytes == NULL ? size | ERX_PATCH_ZEROS : size,
        .previous = page_log->last,
    };
    if (body > 0) {
        memset((uint8_t *)(patch + 1) + body - ERX_PATCH_ALIGNMENT, 0, ERX_PATCH_ALIGNMENT);
        memcpy(patch + 1, bytes, size);
    }
    page_log->last = accounts->log_bytes + 1;
    page_log->bytes += ERX_PATCH_HEAD_BYTES + body;
    accounts->log_bytes += (uint32_t)sizeof *patch + body;
    return patch;
}

void erx_accounts_log_bytes(erx_accounts_t *accounts, uint64_t place, const void *bytes,
                            uint64_t size)
{
    const uint8_t *from = bytes;
    while (size > 0) {
        uint32_t part = page_part(place, size);
        (void)append(accounts, place, from, part);
        from = from == NULL ? NULL : from + part;
        place += part;
        size -= part;
    }
}

void erx_accounts_log_entry(erx_accounts_t *accounts, uint32_t index)
{
    const erx_account_entry_t *entry = erx_accounts_slot(accounts, index);
    uint32_t *known = &accounts->entry_patch[index];
    if (*known != 0) {
        memcpy(accounts->log + (*known - 1) + sizeof(erx_patch_t), entry, sizeof *entry);
        return;
    }
    *known = accounts->log_bytes + 1;
    (void)append(accounts, (uint64_t)index * ENTRY_BYTES, entry, ENTRY_BYTES);
}

static uint32_t body_bytes(const erx_patch_t *patch)
{
    return patch->length & ERX_PATCH_ZEROS ? 0 : padded(patch->length);
}

static const erx_patch_t *patch_at(const erx_accounts_t *accounts, uint32_t place)
{
    return (const erx_patch_t *)(const void *)(accounts->log + place);
}

/* A page's patches that are younger than the log's first begin bytes. */
static void cut_page(erx_accounts_t *accounts, uint32_t page, uint32_t begin)
{
    erx_page_log_t *page_log = &accounts->pages[page];
    while (page_log->last > begin) {
        const erx_patch_t *patch = patch_at(accounts, page_log->last - 1);
        page_log->bytes -= ERX_PATCH_HEAD_BYTES + body_bytes(patch);
        page_log->last = patch->previous;
    }
}

void erx_accounts_log_cut(erx_accounts_t *accounts, uint32_t begin)
{
    for (uint32_t place = begin; place < accounts->log_bytes;) {
        const erx_patch_t *patch = patch_at(accounts, place);
        cut_page(accounts, patch->page, begin);
        place += (uint32_t)sizeof *patch + body_bytes(patch);
    }
    while (accounts->written_count > 0 &&
           accounts->pages[accounts->written[accounts->written_count - 1]].last == 0)
        accounts->written_count--;
    accounts->log_bytes = begin;
}

void erx_accounts_written_clear(erx_accounts_t *accounts)
{
    ERX_ASSERT(!accounts->is_open);
    uint32_t table_pages = (uint32_t)(accounts->heap_start / ERX_ACCOUNTS_PAGE_BYTES);
    for (uint32_t place = 0; place < accounts->log_bytes;) {
        const erx_patch_t *patch = patch_at(accounts, place);
        if (patch->page < table_pages) {
            uint64_t at = (uint64_t)patch->page * ERX_ACCOUNTS_PAGE_BYTES + patch->offset;
            accounts->entry_patch[at / ENTRY_BYTES] = 0;
        }
        place += (uint32_t)sizeof *patch + body_bytes(patch);
    }
    erx_accounts_log_cut(accounts, 0);
}

const uint32_t *erx_accounts_written_pages(const erx_accounts_t *accounts, uint32_t *count_out)
{
    ERX_ASSERT(!accounts->is_open);
    *count_out = accounts->written_count;
    return accounts->written;
}

uint32_t erx_accounts_page_patches_bytes(const erx_accounts_t *accounts, uint32_t page)
{
    return accounts->pages[page].bytes;
}

void erx_accounts_page_patches_copy(const erx_accounts_t *accounts, uint32_t page, uint8_t *out)
{
    const erx_page_log_t *page_log = &accounts->pages[page];
    uint32_t end = page_log->bytes;
    for (uint32_t last = page_log->last; last != 0;) {
        const erx_patch_t *patch = patch_at(accounts, last - 1);
        uint32_t body = body_bytes(patch);
        end -= ERX_PATCH_HEAD_BYTES + body;
        const uint32_t head[] = {patch->offset, patch->length};
        memcpy(out + end, head, sizeof head);
        memcpy(out + end + ERX_PATCH_HEAD_BYTES, patch + 1, body);
        last = patch->previous;
    }
    ERX_ASSERT(end == 0);
}

uint32_t erx_accounts_patches_bytes_max(const erx_accounts_t *accounts)
{
    return accounts->config.write_log_bytes;
}

uint32_t erx_accounts_written_pages_max(const erx_accounts_t *accounts)
{
    return accounts->written_capacity;
}

static erx_status_t refuse_patch(uint32_t at, const char *what, erx_error_t *error)
{
    return erx_error_set(error, ERX_ERR_FORMAT, "the patch at byte %u %s", at, what);
}

erx_status_t erx_accounts_page_apply(uint8_t *page, const uint8_t *patches, uint32_t size,
                                     erx_error_t *error)
{
    for (uint32_t at = 0; at < size;) {
        uint32_t head[2];
        if (size - at < ERX_PATCH_HEAD_BYTES)
            return refuse_patch(at, "is cut off", error);
        memcpy(head, patches + at, sizeof head);
        bool zeros = (head[1] & ERX_PATCH_ZEROS) != 0;
        uint32_t length = head[1] & ~ERX_PATCH_ZEROS;
        if (head[0] > ERX_ACCOUNTS_PAGE_BYTES || length > ERX_ACCOUNTS_PAGE_BYTES - head[0])
            return refuse_patch(at, "does not lie in its page", error);
        uint32_t body = zeros ? 0 : padded(length);
        if (body > size - at - ERX_PATCH_HEAD_BYTES)
            return refuse_patch(at, "is cut off", error);
        if (zeros)
            memset(page + head[0], 0, length);
        else
            memcpy(page + head[0], patches + at + ERX_PATCH_HEAD_BYTES, length);
        at += ERX_PATCH_HEAD_BYTES + body;
    }
    return ERX_OK;
}
