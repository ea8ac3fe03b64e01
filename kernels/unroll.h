/* Full unrolling of short loops over registers.
 *
 * An array of accumulators stays in registers only if every loop over it is
 * unrolled whole. gcc takes an upper limit; clang, given one, unrolls by just
 * that number and leaves loops of fewer turns alone, but has a pragma of its
 * own that means what is wanted. */
#ifndef ERX_KERNELS_UNROLL_H
#define ERX_KERNELS_UNROLL_H

/* In front of a loop whose turns (24 at most) are known at compile time. */
#ifdef __clang__
#define ERX_UNROLL _Pragma("clang loop unroll(full)")
#else
#define ERX_UNROLL _Pragma("GCC unroll 24")
#endif

#endif
