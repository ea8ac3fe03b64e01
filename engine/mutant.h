/* Known ways to get durability wrong, compiled in only with -DERX_MUTANTS: the
 * simulation plants them one at a time, by name, and must catch each. In every
 * other build ERX_MUTANT is the constant false. */
#ifndef ERX_ENGINE_MUTANT_H
#define ERX_ENGINE_MUTANT_H

#include "mem/base.h"

typedef enum {
    ERX_MUTANT_NONE,
    ERX_MUTANT_PUBLISH_BEFORE_DURABLE,
    ERX_MUTANT_SKIP_FLUSH,
    ERX_MUTANT_FLUSH_BEFORE_WRITE,
    ERX_MUTANT_REUSE_BEFORE_CHECKPOINT,
    ERX_MUTANT_IGNORE_SHORT_WRITE,
    ERX_MUTANT_BROKEN_CHAIN,
    ERX_MUTANT_OLDER_CHECKPOINT,
    ERX_MUTANT_NEWER_CHECKPOINT,
    ERX_MUTANT_DROP_LAST_RECORD,
    ERX_MUTANT_RETRY_FLUSH,
    ERX_MUTANT_FORGET_PAGE,
    ERX_MUTANT_FORGET_CHUNK,
    ERX_MUTANT_JOURNAL_UNDONE,
} erx_mutant_t;

#ifdef ERX_MUTANTS
extern erx_mutant_t erx_mutant; /* the one that is planted; set by the simulation */
#define ERX_MUTANT(name) (erx_mutant == ERX_MUTANT_##name)
#else
#define ERX_MUTANT(name) false
#endif

#endif
