/* Probes for bpftrace, perf and SystemTap: no instruction but a no-op where
 * nothing listens.
 *
 *   bpftrace -e 'usdt:build/tools/erx:erx:block { @us = hist(arg2 / 1000); }'
 *
 *   block   slot, transactions, execution in ns
 *   batch   slot, frames, execution in ns
 *   commit  slot, execution to durable in ns */
#ifndef ERX_NODE_PROBES_H
#define ERX_NODE_PROBES_H

#ifdef ERX_HAVE_PROBES
#include <sys/sdt.h>
/* The header's variadic macros are called with nothing to vary. */
#ifdef __clang__
#pragma clang diagnostic ignored "-Wgnu-zero-variadic-macro-arguments"
#endif
#define ERX_PROBE(name, a, b, c) DTRACE_PROBE3(erx, name, a, b, c)
#else
#define ERX_PROBE(name, a, b, c) ((void)(a), (void)(b), (void)(c))
#endif

#endif
