#include "tools/quantizer_report.h"

#include "mem/assert.h"

#include <math.h>
#include <stdlib.h>

#define OUTLIER_DEVIATIONS 2.0 /* below the mean by this many standard deviations */

double erx_snr_db(double signal, double noise)
{
    if (signal <= 0.0)
        return 0.0;
    if (noise <= 0.0)
        return ERX_SNR_EXACT;
    return fmin(10.0 * log10(signal / noise), ERX_SNR_EXACT);
}

const char *erx_snr_rating(double snr_db)
{
    return snr_db > ERX_SNR_EXCELLENT     ? "excellent"
           : snr_db >= ERX_SNR_GOOD       ? "good"
           : snr_db >= ERX_SNR_ACCEPTABLE ? "acceptable"
                                          : "investigate";
}

erx_status_t erx_quantizer_report_open(erx_quantizer_report_t *report_out,
                                       const erx_parameters_t *checkpoint, erx_error_t *error)
{
    *report_out = (erx_quantizer_report_t){.checkpoint = checkpoint};
    report_out->errors = calloc(checkpoint->count, sizeof *report_out->errors);
    if (report_out->errors == NULL)
        return erx_error_set(error, ERX_ERR_MEMORY, "no memory for the report");
    return ERX_OK;
}

void erx_quantizer_report_close(erx_quantizer_report_t *report)
{
    free(report->errors);
    *report = (erx_quantizer_report_t){0};
}

erx_weight_error_t *erx_quantizer_report_find(const erx_quantizer_report_t *report,
                                              const float *values)
{
    uint32_t i = 0;
    while (i < report->checkpoint->count && report->checkpoint->tensors[i].values != values)
        i++;
    ERX_ASSERT(i < report->checkpoint->count);
    return &report->errors[i];
}

void erx_weight_error_add(erx_weight_error_t *error, double trained, double represented)
{
    double difference = fabs(trained - represented);
    error->signal += trained * trained;
    error->noise += difference * difference;
    error->error_max = fmax(error->error_max, difference);
}

/* Figures over the weights that have a signal at all. */
typedef struct {
    uint32_t count;
    double mean, deviation, least, greatest;
} summary_t;

static double snr_of(const erx_quantizer_report_t *report, uint32_t i)
{
    return erx_snr_db(report->errors[i].signal, report->errors[i].noise);
}

/* Matrices alone are summed up: their products are what noise comes from. */
static bool is_summed(const erx_quantizer_report_t *report, uint32_t i)
{
    return report->checkpoint->tensors[i].rank >= 2 && report->errors[i].signal > 0.0;
}

static summary_t summarize(const erx_quantizer_report_t *report)
{
    summary_t summary = {.least = INFINITY, .greatest = -INFINITY};
    double sum = 0.0, squares = 0.0;
    for (uint32_t i = 0; i < report->checkpoint->count; i++) {
        if (!is_summed(report, i))
            continue;
        double snr = snr_of(report, i);
        summary.count++;
        sum += snr;
        squares += snr * snr;
        summary.least = fmin(summary.least, snr);
        summary.greatest = fmax(summary.greatest, snr);
    }
    if (summary.count == 0)
        return (summary_t){0};
    summary.mean = sum / summary.count;
    summary.deviation = sqrt(fmax(squares / summary.count - summary.mean * summary.mean, 0.0));
    return summary;
}

static bool is_outlier(const erx_quantizer_report_t *report, uint32_t i, const summary_t *summary)
{
    double snr = snr_of(report, i);
    if (report->errors[i].signal <= 0.0)
        return false;
    return snr < ERX_SNR_ACCEPTABLE ||
           (is_summed(report, i) && snr < summary->mean - OUTLIER_DEVIATIONS * summary->deviation);
}

static json_t *weight_json(const erx_quantizer_report_t *report, uint32_t i)
{
    const erx_parameters_tensor_t *tensor = &report->checkpoint->tensors[i];
    const erx_weight_error_t *error = &report->errors[i];
    json_t *shape = json_array();
    for (uint32_t k = 0; k < tensor->rank; k++)
        json_array_append_new(shape, json_integer(tensor->dimensions[k]));
    double snr = snr_of(report, i);
    return json_pack("{s:s, s:o, s:f, s:s, s:f, s:f}", "name", tensor->name, "shape", shape,
                     "snr_db", snr, "rating",
                     error->signal > 0.0 ? erx_snr_rating(snr) : "all zeros", "max_abs_error",
                     error->error_max, "relative_error_pct",
                     error->signal > 0.0 ? 100.0 * sqrt(error->noise / error->signal) : 0.0);
}

json_t *erx_quantizer_report_json(const erx_quantizer_report_t *report)
{
    summary_t summary = summarize(report);
    json_t *weights = json_array(), *outliers = json_array();
    for (uint32_t i = 0; i < report->checkpoint->count; i++) {
        json_array_append_new(weights, weight_json(report, i));
        if (is_outlier(report, i, &summary))
            json_array_append_new(outliers, json_string(report->checkpoint->tensors[i].name));
    }
    return json_pack("{s:{s:i, s:f, s:f, s:f}, s:{s:f, s:f, s:f}, s:o, s:o}", "error_summary",
                     "num_2d_weights", (int)summary.count, "mean_snr_db", summary.mean,
                     "min_snr_db", summary.least, "max_snr_db", summary.greatest, "thresholds",
                     "excellent", ERX_SNR_EXCELLENT, "good", ERX_SNR_GOOD, "acceptable",
                     ERX_SNR_ACCEPTABLE, "outliers", outliers, "weights", weights);
}

void erx_quantizer_report_print(const erx_quantizer_report_t *report, FILE *stream)
{
    static const char *const ratings[] = {"excellent", "good", "acceptable", "investigate"};
    summary_t summary = summarize(report);
    uint32_t counts[ERX_COUNT(ratings)] = {0};
    for (uint32_t i = 0; i < report->checkpoint->count; i++)
        for (uint32_t k = 0; k < ERX_COUNT(ratings) && is_summed(report, i); k++)
            counts[k] += erx_snr_rating(snr_of(report, i)) == ratings[k];
    fprintf(stream, "weights     %u matrices: mean %.1f dB, min %.1f dB, max %.1f dB\n",
            summary.count, summary.mean, summary.least, summary.greatest);
    fprintf(stream,
            "            > 40 dB excellent: %u, 30-40 good: %u, 20-30 acceptable: %u, "
            "< 20 investigate: %u\n",
            counts[0], counts[1], counts[2], counts[3]);
    for (uint32_t i = 0; i < report->checkpoint->count; i++)
        if (is_outlier(report, i, &summary))
            fprintf(stream, "outlier     %s: %.1f dB, %s\n", report->checkpoint->tensors[i].name,
                    snr_of(report, i), erx_snr_rating(snr_of(report, i)));
}
