/* The machine as hwloc sees it, reduced to what the engine needs: which
 * processors it may use, in which order, and on which NUMA node each one is.
 *
 * Order of use: one hardware thread of every core before second threads,
 * within that fast cores before efficient ones (hwloc CPU kinds), and within
 * that NUMA nodes in turn, so that the first W entries are the best W workers.
 * Container CPU sets and the process' own affinity are respected. With HWLOC_SYNTHETIC
 * in the environment hwloc describes another machine: plans are made for it,
 * nothing is pinned. */
#ifndef ERX_SCHED_TOPO_H
#define ERX_SCHED_TOPO_H

#include "mem/status.h"

#define ERX_CPUS_MAX  1024u /* processors with a larger number are not used */
#define ERX_NODES_MAX 64u

typedef struct {
    uint32_t cpu;        /* operating system's number of the hardware thread */
    uint32_t core;       /* logical index of its core in the topology */
    uint32_t node;       /* index into the nodes, [0, node_count) */
    uint32_t smt_index;  /* 0 for the first usable hardware thread of its core */
    uint32_t efficiency; /* larger is faster; all 0 where hwloc knows no kinds */
} erx_topo_cpu_t;

typedef struct {
    uint32_t cpu_count;
    uint32_t node_count; /* nodes that have a processor in cpus */
    bool this_system;    /* false: a synthetic topology, do not pin or bind */
    uint32_t node_os_index[ERX_NODES_MAX];
    erx_topo_cpu_t cpus[ERX_CPUS_MAX]; /* in order of use */
} erx_topo_t;

/* Reads the topology. cpu_list restricts it to processors such as "0-3,8"
 * (NULL: all that the process may use); those of the list that the process may
 * not use are left away. Errors: ERX_ERR_ARGUMENT for a list that cannot be
 * read or names no usable processor, ERX_ERR_UNSUPPORTED where hwloc fails or
 * there are more than ERX_NODES_MAX nodes, ERX_ERR_MEMORY. Control plane. */
erx_status_t erx_topo_read(const char *cpu_list, erx_topo_t *topo_out, erx_error_t *error);

/* Pins the calling thread to cpu (the system's number, < ERX_CPUS_MAX), where
 * topo is of this system. Errors: ERX_ERR_PERMISSION. */
erx_status_t erx_topo_pin(const erx_topo_t *topo, uint32_t cpu, erx_error_t *error);

#endif
