/* Hot loops of tools over floats are built for several vector widths, and the
 * widest that the processor has is taken. Without fused multiply-add, and with
 * sums whose order does not depend on the width, all give the same bits. */
#ifndef ERX_TOOLS_WIDE_H
#define ERX_TOOLS_WIDE_H

#if defined(__x86_64__) && !defined(ERX_SANITIZED)
#define ERX_WIDE __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define ERX_WIDE
#endif

#endif
