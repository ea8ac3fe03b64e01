#include "sched/topo.h"

#include "sched/cpu_list.h"

#include <errno.h>
#include <hwloc.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

ERX_STATIC_ASSERT(ERX_CPUS_MAX <= CPU_SETSIZE, "a cpu_set_t holds every processor");

/* For the message that lists the usable processors; a longer list is cut. */
#define LIST_TEXT_BYTES 256u

/* A processor while the order of use is worked out. */
typedef struct {
    erx_topo_cpu_t cpu;
    uint32_t node_os_index;
    uint32_t rank; /* among its node's processors of the same kind and thread */
} candidate_t;

typedef struct {
    hwloc_topology_t topology;
    hwloc_bitmap_t usable; /* processors that may be used */
    uint32_t count;
    candidate_t candidates[ERX_CPUS_MAX];
} reading_t;

/* Takes out of the usable set what the process may not run on. Container sets
 * are out already: hwloc leaves disallowed processors away. */
static erx_status_t respect_affinity(reading_t *reading, erx_error_t *error)
{
    if (!hwloc_topology_is_thissystem(reading->topology))
        return ERX_OK;
    hwloc_bitmap_t bound = hwloc_bitmap_alloc();
    if (bound == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for a set of processors");
    /* Some systems cannot tell; then nothing is bound. */
    if (hwloc_get_cpubind(reading->topology, bound, HWLOC_CPUBIND_PROCESS) == 0)
        hwloc_bitmap_and(reading->usable, reading->usable, bound);
    hwloc_bitmap_free(bound);
    return ERX_OK;
}

static erx_status_t respect_list(reading_t *reading, const char *cpu_list, erx_error_t *error)
{
    bool listed[ERX_CPUS_MAX];
    erx_status_t status = erx_cpu_list_parse(cpu_list, listed, error);
    if (status != ERX_OK)
        return status;
    for (uint32_t cpu = 0; cpu < ERX_CPUS_MAX; cpu++)
        if (!listed[cpu])
            hwloc_bitmap_clr(reading->usable, cpu);
    return ERX_OK;
}

static erx_status_t find_usable(reading_t *reading, const char *cpu_list, erx_error_t *error)
{
    reading->usable = hwloc_bitmap_dup(hwloc_topology_get_allowed_cpuset(reading->topology));
    if (reading->usable == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for a set of processors");
    hwloc_bitmap_clr_range(reading->usable, ERX_CPUS_MAX, -1);
    erx_status_t status = respect_affinity(reading, error);
    if (status != ERX_OK)
        return status;
    char all[LIST_TEXT_BYTES];
    (void)hwloc_bitmap_list_snprintf(all, sizeof all, reading->usable);
    if (cpu_list != NULL)
        status = respect_list(reading, cpu_list, error);
    if (status == ERX_OK && hwloc_bitmap_iszero(reading->usable))
        status = erx_error_set(error, ERX_ERR_ARGUMENT,
                               "processor list \"%s\" names none that this process may use: "
                               "choose from %s",
                               cpu_list == NULL ? "" : cpu_list, all);
    return status;
}

/* hwloc's efficiency of the kind that processor is of; larger is faster. */
static uint32_t find_efficiency(hwloc_topology_t topology, hwloc_obj_t processor)
{
    int kind = hwloc_cpukinds_get_by_cpuset(topology, processor->cpuset, 0);
    int efficiency = 0;
    if (kind < 0 ||
        hwloc_cpukinds_get_info(topology, (unsigned)kind, NULL, &efficiency, NULL, NULL, 0) != 0)
        return 0;
    return efficiency < 0 ? 0 : (uint32_t)efficiency;
}

/* Which of the core's usable threads processor is. Counted among the usable
 * ones: where only second threads may be used, they have their cores alone. */
static uint32_t find_smt_index(const reading_t *reading, hwloc_obj_t core, hwloc_obj_t processor)
{
    uint32_t index = 0;
    for (int cpu = hwloc_bitmap_first(core->cpuset); cpu >= 0;
         cpu = hwloc_bitmap_next(core->cpuset, cpu)) {
        if (!hwloc_bitmap_isset(reading->usable, (unsigned)cpu))
            continue;
        hwloc_obj_t other = hwloc_get_pu_obj_by_os_index(reading->topology, (unsigned)cpu);
        index += other != NULL && other->logical_index < processor->logical_index;
    }
    return index;
}

static void collect(reading_t *reading)
{
    hwloc_obj_t processor = NULL;
    while ((processor = hwloc_get_next_obj_by_type(reading->topology, HWLOC_OBJ_PU, processor)) !=
           NULL) {
        if (!hwloc_bitmap_isset(reading->usable, processor->os_index))
            continue;
        hwloc_obj_t core =
            hwloc_get_ancestor_obj_by_type(reading->topology, HWLOC_OBJ_CORE, processor);
        if (core == NULL) /* some virtual machines show no cores */
            core = processor;
        int node = hwloc_bitmap_first(processor->nodeset);
        reading->candidates[reading->count++] = (candidate_t){
            .cpu = {.cpu = processor->os_index,
                    .core = core->logical_index,
                    .smt_index = find_smt_index(reading, core, processor),
                    .efficiency = find_efficiency(reading->topology, processor)},
            .node_os_index = node < 0 ? 0 : (uint32_t)node,
        };
    }
}

static int compare_numbers(uint32_t left, uint32_t right)
{
    return (left > right) - (left < right);
}

/* By kind of processor, best first: threads that have a core to themselves,
 * then speed. An efficient core is more than the second thread of a fast one. */
static int compare_kinds(const candidate_t *left, const candidate_t *right)
{
    int order = compare_numbers(left->cpu.smt_index, right->cpu.smt_index);
    return order != 0 ? order : compare_numbers(right->cpu.efficiency, left->cpu.efficiency);
}

static int compare_places(const void *left_entry, const void *right_entry)
{
    const candidate_t *left = left_entry;
    const candidate_t *right = right_entry;
    int order = compare_kinds(left, right);
    if (order == 0)
        order = compare_numbers(left->node_os_index, right->node_os_index);
    if (order == 0)
        order = compare_numbers(left->cpu.core, right->cpu.core);
    return order != 0 ? order : compare_numbers(left->cpu.cpu, right->cpu.cpu);
}

static int compare_turns(const void *left_entry, const void *right_entry)
{
    const candidate_t *left = left_entry;
    const candidate_t *right = right_entry;
    int order = compare_kinds(left, right);
    if (order == 0)
        order = compare_numbers(left->rank, right->rank);
    return order != 0 ? order : compare_places(left, right);
}

/* Sorts into the order of use. Sorted by node, processors get their rank in
 * it; sorted by rank, the nodes take turns. */
static void sort_by_use(reading_t *reading)
{
    candidate_t *candidates = reading->candidates;
    qsort(candidates, reading->count, sizeof *candidates, compare_places);
    for (uint32_t i = 1; i < reading->count; i++)
        if (compare_kinds(&candidates[i - 1], &candidates[i]) == 0 &&
            candidates[i - 1].node_os_index == candidates[i].node_os_index)
            candidates[i].rank = candidates[i - 1].rank + 1;
    qsort(candidates, reading->count, sizeof *candidates, compare_turns);
}

/* Numbers the NUMA nodes of the usable processors in the system's order. */
static erx_status_t number_nodes(const reading_t *reading, erx_topo_t *topo, erx_error_t *error)
{
    hwloc_bitmap_t nodes = hwloc_bitmap_alloc();
    if (nodes == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for a set of NUMA nodes");
    for (uint32_t i = 0; i < reading->count; i++)
        hwloc_bitmap_set(nodes, reading->candidates[i].node_os_index);
    int count = hwloc_bitmap_weight(nodes);
    if (count > (int)ERX_NODES_MAX) {
        hwloc_bitmap_free(nodes);
        return erx_error_set(error, ERX_ERR_UNSUPPORTED,
                             "%d NUMA nodes, more than %u: restrict the processor list", count,
                             ERX_NODES_MAX);
    }
    for (int node = hwloc_bitmap_first(nodes); node >= 0; node = hwloc_bitmap_next(nodes, node))
        topo->node_os_index[topo->node_count++] = (uint32_t)node;
    hwloc_bitmap_free(nodes);
    return ERX_OK;
}

static uint32_t find_node(const erx_topo_t *topo, uint32_t os_index)
{
    uint32_t node = 0;
    while (topo->node_os_index[node] != os_index)
        node++;
    return node;
}

static erx_status_t read_topology(reading_t *reading, const char *cpu_list, erx_topo_t *topo_out,
                                  erx_error_t *error)
{
    erx_status_t status = find_usable(reading, cpu_list, error);
    if (status != ERX_OK)
        return status;
    collect(reading);
    sort_by_use(reading);
    erx_topo_t topo = {
        .cpu_count = reading->count,
        .this_system = hwloc_topology_is_thissystem(reading->topology) != 0,
    };
    status = number_nodes(reading, &topo, error);
    if (status != ERX_OK)
        return status;
    for (uint32_t i = 0; i < reading->count; i++) {
        topo.cpus[i] = reading->candidates[i].cpu;
        topo.cpus[i].node = find_node(&topo, reading->candidates[i].node_os_index);
    }
    *topo_out = topo;
    return ERX_OK;
}

erx_status_t erx_topo_read(const char *cpu_list, erx_topo_t *topo_out, erx_error_t *error)
{
    reading_t reading = {0};
    if (hwloc_topology_init(&reading.topology) != 0)
        return erx_error_set(error, ERX_ERR_UNSUPPORTED, "hwloc cannot start: %s", strerror(errno));
    erx_status_t status;
    if (hwloc_topology_load(reading.topology) != 0)
        status = erx_error_set(error, ERX_ERR_UNSUPPORTED,
                               "hwloc cannot read the machine's topology: %s", strerror(errno));
    else
        status = read_topology(&reading, cpu_list, topo_out, error);
    hwloc_bitmap_free(reading.usable);
    hwloc_topology_destroy(reading.topology);
    return status;
}

erx_status_t erx_topo_pin(const erx_topo_t *topo, uint32_t cpu, erx_error_t *error)
{
    if (!topo->this_system)
        return ERX_OK;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0)
        return erx_error_set(error, ERX_ERR_PERMISSION,
                             "cannot pin a thread to processor %u (%s): restrict the processor "
                             "list to those that the process may use",
                             cpu, strerror(errno));
    return ERX_OK;
}
