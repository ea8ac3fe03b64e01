/* Pictures of fidelity, drawn by gnuplot. */
#ifndef ERX_TOOLS_FIDELITY_PLOT_H
#define ERX_TOOLS_FIDELITY_PLOT_H

#include "tools/fidelity.h"

/* Whether gnuplot can be run; the error says what to install. To be asked
 * before long work. */
erx_status_t erx_fidelity_plot_check(erx_error_t *error);

/* Writes snr.svg, residual.svg and drift.svg, and the same as PNG, into
 * directory, which is made where it is not. Errors: ERX_ERR_IO,
 * ERX_ERR_UNSUPPORTED (no gnuplot). */
erx_status_t erx_fidelity_plot(const erx_fidelity_t *fidelity, const char *directory,
                               erx_error_t *error);

#endif
