#include "tools/fidelity_plot.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM "gnuplot"

extern char **environ;

/* Starts gnuplot with our pipe as its input; what it says goes to stderr. */
static bool start(char *const arguments[], int input, pid_t *child_out)
{
    posix_spawn_file_actions_t actions;
    if (posix_spawn_file_actions_init(&actions) != 0)
        return false;
    bool ready = posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO) == 0 &&
                 posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO) == 0;
    int failure = ready ? posix_spawnp(child_out, PROGRAM, &actions, NULL, arguments, environ) : -1;
    (void)posix_spawn_file_actions_destroy(&actions);
    return failure == 0;
}

static bool finished_well(pid_t child)
{
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return false;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

erx_status_t erx_fidelity_plot_check(erx_error_t *error)
{
    char program[] = PROGRAM, option[] = "-e", nothing[] = "exit";
    char *const arguments[] = {program, option, nothing, NULL};
    pid_t child;
    int nowhere = open("/dev/null", O_RDONLY | O_CLOEXEC);
    bool runs = nowhere >= 0 && start(arguments, nowhere, &child) && finished_well(child);
    if (nowhere >= 0)
        (void)close(nowhere);
    if (!runs)
        return erx_error_set(error, ERX_ERR_UNSUPPORTED,
                             "--plots: gnuplot cannot be run; install the package gnuplot-nox, or "
                             "leave --plots out");
    return ERX_OK;
}

/* The same plot command once for each picture format. */
static void each_format(FILE *script, const char *name, const char *settings)
{
    static const struct {
        const char *ending, *terminal;
    } formats[] = {{"svg", "svg size 900,480 dynamic background rgb 'white'"},
                   {"png", "png size 900,480"}};
    for (uint32_t i = 0; i < ERX_COUNT(formats); i++)
        fprintf(script, "set terminal %s\nset output '%s.%s'\n%s\n", formats[i].terminal, name,
                formats[i].ending, settings);
    fputs("unset output\nreset\n", script);
}

static void write_heads(FILE *script, const erx_fidelity_t *fidelity)
{
    fputs("$heads << END\n", script);
    for (uint32_t head = 0; head < ERX_OUTPUT_HEADS; head++)
        fprintf(script, "%s %.3f\n", erx_head_names[head],
                erx_fidelity_power_db(&fidelity->heads[head]));
    fprintf(script, "all %.3f\nEND\n", erx_fidelity_power_db(&fidelity->all));
    each_format(script, "snr",
                "set title 'Signal to noise of the outputs, teacher-forced'\nset ylabel 'dB'\n"
                "set yrange [0:*]\nset grid y\nset style fill solid 0.6\nset boxwidth 0.7\n"
                "set xtics rotate by 40 right noenhanced\nunset key\n"
                "plot $heads using 2:xtic(1) with boxes lc rgb '#336699'");
}

static void write_stages(FILE *script, const erx_fidelity_t *fidelity)
{
    fputs("$stages << END\n", script);
    for (uint32_t i = 0; i < fidelity->stage_count; i++)
        if (fidelity->stages[i].signal > 0.0)
            fprintf(script, "%u %.3f\n", i, erx_fidelity_power_db(&fidelity->stages[i]));
    fputs("END\n", script);
    each_format(
        script, "residual",
        "set title 'Signal to noise of the residual stream'\nset ylabel 'dB'\n"
        "set xlabel 'layers passed'\nset yrange [0:*]\nset xtics 1\nset offsets 0.3,0.3,0,0\n"
        "set grid\nunset key\nplot $stages with linespoints lw 2 lc rgb '#336699' pt 7");
}

static void write_drift(FILE *script, const erx_fidelity_t *fidelity)
{
    fputs("$drift << END\n", script);
    for (uint32_t t = 0; t < fidelity->curve_frames; t++)
        fprintf(script, "%u %.4f %.4f %.4f\n", t + 1, fidelity->curve[t].float_real,
                fidelity->curve[t].integer_real, fidelity->curve[t].integer_float);
    fputs("END\n", script);
    each_format(script, "drift",
                "set title 'Rollouts: mean distance of positions'\nset ylabel 'game units'\n"
                "set xlabel 'frames since the start'\nset logscale x\nset grid\n"
                "set autoscale xfixmax\nset key top left Left reverse opaque samplen 2\n"
                "plot $drift using 1:2 with lines lw 2 lc rgb '#999999' "
                "title 'floats to the real game', "
                "$drift using 1:3 with lines lw 2 lc rgb '#336699' "
                "title 'integers to the real game', "
                "$drift using 1:4 with lines lw 2 lc rgb '#cc5533' title 'integers to floats'");
}

static erx_status_t make_directory(const char *directory, char path_out[PATH_MAX],
                                   erx_error_t *error)
{
    if ((mkdir(directory, 0777) != 0 && errno != EEXIST) || realpath(directory, path_out) == NULL)
        return erx_error_set(error, ERX_ERR_IO, "--plots: cannot make directory %s: %s", directory,
                             strerror(errno));
    return ERX_OK;
}

/* The script goes through a temporary file: gnuplot may stop early, and a pipe
 * would then end us. */
static FILE *write_script(const erx_fidelity_t *fidelity, const char *directory)
{
    FILE *script = tmpfile();
    if (script == NULL)
        return NULL;
    fputs("cd '", script);
    for (const char *at = directory; *at != '\0'; at++)
        fputs(*at == '\'' ? "''" : (const char[]){*at, '\0'}, script);
    fputs("'\n", script);
    write_heads(script, fidelity);
    write_stages(script, fidelity);
    if (fidelity->curve_frames > 0)
        write_drift(script, fidelity);
    if (fflush(script) == 0 && fseek(script, 0, SEEK_SET) == 0)
        return script;
    (void)fclose(script);
    return NULL;
}

erx_status_t erx_fidelity_plot(const erx_fidelity_t *fidelity, const char *directory,
                               erx_error_t *error)
{
    char path[PATH_MAX], program[] = PROGRAM, input[] = "-";
    char *const arguments[] = {program, input, NULL};
    erx_status_t status = make_directory(directory, path, error);
    if (status != ERX_OK)
        return status;
    FILE *script = write_script(fidelity, path);
    if (script == NULL)
        return erx_error_set(error, ERX_ERR_IO, "--plots: cannot write a temporary file: %s",
                             strerror(errno));
    pid_t child;
    if (!start(arguments, fileno(script), &child))
        status = erx_fidelity_plot_check(error);
    else if (!finished_well(child))
        status =
            erx_error_set(error, ERX_ERR_IO, "--plots: gnuplot failed to draw into %s", directory);
    (void)fclose(script);
    return status;
}
