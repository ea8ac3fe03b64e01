#include "node/thread_cpu.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TASKS_PATH "/proc/self/task"

bool erx_thread_stat_read(const char *line, char name_out[16], uint64_t *ticks_out)
{
    /* A name may have any character, also brackets: it ends at the last one. */
    const char *name = strchr(line, '(');
    const char *end = strrchr(line, ')');
    uint64_t user, system;
    if (name == NULL || end == NULL || end <= name || end - name > 16)
        return false;
    /* Behind it the state, ten numbers, and the times in user and system mode. */
    if (sscanf(end + 1, " %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %" SCNu64 " %" SCNu64, &user,
               &system) != 2)
        return false;
    size_t length = (size_t)(end - name - 1);
    memcpy(name_out, name + 1, length);
    name_out[length] = '\0';
    *ticks_out = user + system;
    return true;
}

static void add_thread(const char *task, uint64_t tick_ns, erx_thread_group_t *groups, size_t count)
{
    char path[sizeof TASKS_PATH + 300], line[1024], name[16];
    uint64_t ticks;
    (void)snprintf(path, sizeof path, TASKS_PATH "/%.255s/stat", task);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return; /* it has ended */
    bool is_read = fgets(line, sizeof line, file) != NULL;
    (void)fclose(file);
    if (!is_read || !erx_thread_stat_read(line, name, &ticks))
        return;
    for (size_t i = 0; i < count; i++) {
        if (strncmp(name, groups[i].prefix, strlen(groups[i].prefix)) != 0)
            continue;
        groups[i].ns += ticks * tick_ns;
        groups[i].threads++;
    }
}

void erx_thread_cpu_read(erx_thread_group_t *groups, size_t count)
{
    for (size_t i = 0; i < count; i++)
        groups[i].ns = groups[i].threads = 0;
    long ticks_a_second = sysconf(_SC_CLK_TCK);
    DIR *tasks = ticks_a_second > 0 ? opendir(TASKS_PATH) : NULL;
    if (tasks == NULL)
        return;
    const struct dirent *task;
    while ((task = readdir(tasks)) != NULL)
        if (task->d_name[0] != '.')
            add_thread(task->d_name, ERX_SECOND_NS / (uint64_t)ticks_a_second, groups, count);
    (void)closedir(tasks);
}
