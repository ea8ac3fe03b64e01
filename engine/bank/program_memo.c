/* A memo is UTF-8 text; its accounts must have signed (version 2 alone says so
 * in the log). */
#include <inttypes.h>
#include <string.h>

#include "engine/bank/program.h"

/* Bytes of the well-formed character at text[0, bytes); 0: it is none. Overlong
 * forms, surrogates and values over 0x10ffff are none. */
static uint32_t character_bytes(const uint8_t *text, uint32_t bytes)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t head = text[0];
    if (head < 0x80)
        return 1;
    uint32_t count = head >= 0xf0 ? 4 : head >= 0xe0 ? 3 : 2;
    if (head < 0xc2 || head > 0xf4 || count > bytes)
        return 0;
    uint32_t value = head & (0x7fu >> count);
    for (uint32_t i = 1; i < count; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (text[i] & 0x3fu);
    }
    bool is_good = value >= least[count] && value <= 0x10ffff && (value < 0xd800 || value > 0xdfff);
    return is_good ? count : 0;
}

/* Where text stops being UTF-8; bytes where it is good. */
static uint32_t utf8_end(const uint8_t *text, uint32_t bytes)
{
    uint32_t at = 0;
    while (at < bytes) {
        uint32_t count = character_bytes(text + at, bytes - at);
        if (count == 0)
            break;
        at += count;
    }
    return at;
}

static bool check_text(erx_instruction_t *instruction)
{
    uint32_t end = utf8_end(instruction->data, instruction->data_bytes);
    if (end == instruction->data_bytes)
        return true;
    erx_log_line(&instruction->transaction->log, "Program log: Invalid UTF-8, from byte %" PRIu32,
                 end);
    return erx_instruction_fail(instruction, ERX_INSTRUCTION_INVALID_INSTRUCTION_DATA);
}

/* Every account must sign; the log names those that did. */
static bool check_signers(erx_instruction_t *instruction)
{
    bool all_signed = true;
    for (uint32_t i = 0; i < instruction->account_count; i++) {
        char text[ERX_KEY_TEXT_MAX];
        if (!erx_instruction_signs(instruction, i)) {
            all_signed = false;
            continue;
        }
        erx_key_text(erx_instruction_key(instruction, i), text);
        erx_log_line(&instruction->transaction->log, "Program log: Signed by %s", text);
    }
    return all_signed ||
           erx_instruction_fail(instruction, ERX_INSTRUCTION_MISSING_REQUIRED_SIGNATURE);
}

/* The text in quotes, so that a line of the log stays one line: as Rust's debug
 * form has it for what clients send, quotes, backslashes and controls escaped. */
static void quote(const uint8_t *text, uint32_t bytes, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (uint32_t i = 0; i < bytes; i++) {
        uint8_t byte = text[i];
        const char *pair = byte == '"'    ? "\\\""
                           : byte == '\\' ? "\\\\"
                           : byte == '\n' ? "\\n"
                           : byte == '\r' ? "\\r"
                           : byte == '\t' ? "\\t"
                           : byte == 0    ? "\\0"
                                          : NULL;
        if (pair != NULL) {
            *out++ = pair[0];
            *out++ = pair[1];
        } else if (byte < 0x20 || byte == 0x7f) {
            *out++ = '\\';
            *out++ = 'u';
            *out++ = '{';
            if (byte >= 16)
                *out++ = digits[byte >> 4];
            *out++ = digits[byte & 15];
            *out++ = '}';
        } else {
            *out++ = (char)byte;
        }
    }
    *out = '\0';
}

#define RATE_PREFIX "erx tick_divisor "

/* A memo "erx tick_divisor N" is also an option of the sessions that later
 * instructions of the transaction create: a frame every N ticks of the crank. */
static bool take_rate(erx_instruction_t *instruction)
{
    const size_t prefix = sizeof RATE_PREFIX - 1;
    uint32_t divisor = 0;
    if (instruction->data_bytes < prefix || memcmp(instruction->data, RATE_PREFIX, prefix) != 0)
        return true;
    bool is_good = instruction->data_bytes > prefix && instruction->data_bytes <= prefix + 2;
    for (size_t i = prefix; is_good && i < instruction->data_bytes; i++) {
        is_good = instruction->data[i] >= '0' && instruction->data[i] <= '9';
        divisor = 10 * divisor + (uint32_t)(instruction->data[i] - '0');
    }
    if (!is_good || divisor == 0 || divisor > ERX_TICK_DIVISOR_MAX) {
        erx_log_line(&instruction->transaction->log,
                     "Program log: tick_divisor is not a number from 1 to %u",
                     ERX_TICK_DIVISOR_MAX);
        return erx_instruction_fail(instruction, ERX_INSTRUCTION_INVALID_INSTRUCTION_DATA);
    }
    instruction->transaction->tick_divisor = (uint8_t)divisor;
    return true;
}

bool erx_program_memo(erx_instruction_t *instruction)
{
    char text[6 * ERX_PACKET_BYTES_MAX + 1]; /* an escaped control takes 6 at most */
    if (!check_signers(instruction) || !check_text(instruction))
        return false;
    quote(instruction->data, instruction->data_bytes, text);
    erx_log_line(&instruction->transaction->log, "Program log: Memo (len %" PRIu32 "): \"%s\"",
                 instruction->data_bytes, text);
    return take_rate(instruction);
}

bool erx_program_memo_v1(erx_instruction_t *instruction)
{
    return check_text(instruction) && take_rate(instruction);
}
