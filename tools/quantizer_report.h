/* How well each weight of a checkpoint is represented: signal to noise of the
 * value that the integers stand for against the value that was trained. */
#ifndef ERX_TOOLS_QUANTIZER_REPORT_H
#define ERX_TOOLS_QUANTIZER_REPORT_H

#include "tools/parameters.h"

#include <jansson.h>
#include <stdio.h>

/* Ratings, in dB. */
#define ERX_SNR_EXCELLENT  40.0
#define ERX_SNR_GOOD       30.0
#define ERX_SNR_ACCEPTABLE 20.0
#define ERX_SNR_EXACT      150.0 /* stands for no error at all */

/* Sums over the values of one weight. */
typedef struct {
    double signal; /* of squares */
    double noise;
    double error_max;
} erx_weight_error_t;

typedef struct {
    const erx_parameters_t *checkpoint;
    erx_weight_error_t *errors; /* owned; [checkpoint->count] */
} erx_quantizer_report_t;

/* Signal to noise in dB; 0 where there is no signal, at most ERX_SNR_EXACT. */
double erx_snr_db(double signal, double noise);

/* "excellent", "good", "acceptable" or "investigate". */
const char *erx_snr_rating(double snr_db);

/* The checkpoint must outlive the report. On success the caller closes it. */
erx_status_t erx_quantizer_report_open(erx_quantizer_report_t *report_out,
                                       const erx_parameters_t *checkpoint, erx_error_t *error);

/* An all-zero report is allowed. */
void erx_quantizer_report_close(erx_quantizer_report_t *report);

/* The errors of the tensor that values belongs to (it is the start of one of
 * the checkpoint's tensors). Threads may work on different tensors. */
erx_weight_error_t *erx_quantizer_report_find(const erx_quantizer_report_t *report,
                                              const float *values);

/* Adds one value: as trained, as represented. */
void erx_weight_error_add(erx_weight_error_t *error, double trained, double represented);

/* The report as JSON; the caller drops the reference. */
json_t *erx_quantizer_report_json(const erx_quantizer_report_t *report);

/* Prints the summary and the outliers. */
void erx_quantizer_report_print(const erx_quantizer_report_t *report, FILE *stream);

#endif
