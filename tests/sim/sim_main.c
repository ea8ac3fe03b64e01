/* Runs simulated cases from seeds, or looks for a planted mutant.
 *
 *   sim KIND [--cases N] [--seed S]    crash, error, nth, lie, damage, prefix
 *   sim mutants [--mutant NAME]        every mutant must be caught
 *
 * A failing case prints its kind and seed, which can be pasted back. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/mutant.h"
#include "mem/base.h"
#include "tests/sim/sim_cases.h"

#define CASES_DEFAULT UINT64_C(300)
#define MUTANT_CASES  UINT64_C(4000)

typedef struct {
    const char *name;
    sim_case_fn run;
    bool counted; /* seeds follow each other */
} kind_t;

static const kind_t kinds[] = {
    {"crash", sim_case_crash, false},   {"error", sim_case_error, false},
    {"nth", sim_case_nth, true},        {"lie", sim_case_lie, false},
    {"damage", sim_case_damage, false}, {"prefix", sim_case_prefix, false},
};

#ifdef ERX_MUTANTS
erx_mutant_t erx_mutant;

/* What each mutant is called, and the cases that catch it. */
static const struct {
    const char *name;
    erx_mutant_t mutant;
    sim_case_fn run;
} mutants[] = {
    {"publish-before-durable", ERX_MUTANT_PUBLISH_BEFORE_DURABLE, sim_case_crash},
    {"skip-flush", ERX_MUTANT_SKIP_FLUSH, sim_case_crash},
    {"flush-before-write", ERX_MUTANT_FLUSH_BEFORE_WRITE, sim_case_crash},
    {"reuse-before-checkpoint", ERX_MUTANT_REUSE_BEFORE_CHECKPOINT, sim_case_crash},
    {"ignore-short-write", ERX_MUTANT_IGNORE_SHORT_WRITE, sim_case_error},
    {"broken-chain", ERX_MUTANT_BROKEN_CHAIN, sim_case_crash},
    {"older-checkpoint", ERX_MUTANT_OLDER_CHECKPOINT, sim_case_crash},
    {"newer-checkpoint", ERX_MUTANT_NEWER_CHECKPOINT, sim_case_crash},
    {"drop-last-record", ERX_MUTANT_DROP_LAST_RECORD, sim_case_crash},
    {"retry-flush", ERX_MUTANT_RETRY_FLUSH, sim_case_error},
    {"forget-page", ERX_MUTANT_FORGET_PAGE, sim_case_crash},
    {"forget-chunk", ERX_MUTANT_FORGET_CHUNK, sim_case_crash},
    {"journal-undone", ERX_MUTANT_JOURNAL_UNDONE, sim_case_crash},
};
#endif

typedef struct {
    const char *kind;
    const char *mutant;
    uint64_t cases;
    uint64_t seed;
    sim_engine_t a, b;
} run_t;

static sim_t sim; /* large */

/* Mixes the run's seed and a case's number. */
static uint64_t case_seed(const run_t *run, uint64_t number)
{
    erx_rng_t rng = {.state = run->seed + number};
    return number == 0 ? run->seed : erx_rng_next(&rng);
}

static int run_kind(run_t *run, const kind_t *kind)
{
    for (uint64_t number = 0; number < run->cases; number++) {
        uint64_t seed = kind->counted ? run->seed + number : case_seed(run, number);
        kind->run(&sim, &run->a, &run->b, seed);
        if (sim.why[0] != '\0') {
            (void)printf("FAILED: %s\nagain with: sim %s --cases 1 --seed %" PRIu64 "\n", sim.why,
                         kind->name, seed);
            return EXIT_FAILURE;
        }
    }
    (void)printf("%s: %" PRIu64 " cases from seed %" PRIu64 "\n", kind->name, run->cases,
                 run->seed);
    return EXIT_SUCCESS;
}

#ifdef ERX_MUTANTS
/* The first case that catches a mutant; 0 where none does. */
static uint64_t catch_mutant(run_t *run, sim_case_fn play)
{
    for (uint64_t number = 0; number < MUTANT_CASES; number++) {
        play(&sim, &run->a, &run->b, case_seed(run, number));
        if (sim.why[0] != '\0')
            return number + 1;
    }
    return 0;
}

static int run_mutants(run_t *run)
{
    int result = EXIT_SUCCESS;
    for (uint32_t i = 0; i < ERX_COUNT(mutants); i++) {
        if (run->mutant != NULL && strcmp(run->mutant, mutants[i].name) != 0)
            continue;
        erx_mutant = mutants[i].mutant;
        uint64_t caught = catch_mutant(run, mutants[i].run);
        erx_mutant = ERX_MUTANT_NONE;
        if (caught != 0)
            (void)printf("%s: caught in case %" PRIu64 ": %s\n", mutants[i].name, caught, sim.why);
        else
            (void)printf("FAILED: %s was not caught in %" PRIu64 " cases\n", mutants[i].name,
                         MUTANT_CASES);
        if (caught == 0)
            result = EXIT_FAILURE;
    }
    return result;
}
#else
static int run_mutants(run_t *run)
{
    (void)fprintf(stderr, "%s: no mutants in this build\n", run->kind);
    return 2;
}
#endif

static int run_all(run_t *run)
{
    int result = 2;
    if (strcmp(run->kind, "mutants") == 0)
        result = run_mutants(run);
    for (uint32_t i = 0; i < ERX_COUNT(kinds); i++)
        if (strcmp(run->kind, kinds[i].name) == 0)
            result = run_kind(run, &kinds[i]);
    return result;
}

int main(int argc, char **argv)
{
    run_t run = {.cases = CASES_DEFAULT, .seed = erx_test_seed(), .kind = argc > 1 ? argv[1] : ""};
    for (int i = 2; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--cases") == 0)
            run.cases = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--seed") == 0)
            run.seed = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--mutant") == 0)
            run.mutant = argv[i + 1];
    }
    (void)setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    sim_engine_open(&run.a);
    sim_engine_open(&run.b);
    int result = run_all(&run);
    sim_engine_close(&run.a);
    sim_engine_close(&run.b);
    if (result == 2)
        (void)fprintf(stderr, "usage: sim crash|error|nth|lie|damage|prefix|mutants [--cases N] "
                              "[--seed S] [--mutant NAME]\n");
    return result;
}
