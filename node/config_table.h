/* The table of settings behind config.h. */
#ifndef ERX_NODE_CONFIG_TABLE_H
#define ERX_NODE_CONFIG_TABLE_H

#include "node/config.h"

typedef enum {
    ERX_SETTING_UNSIGNED32,
    ERX_SETTING_UNSIGNED64,
    ERX_SETTING_TEXT,
    ERX_SETTING_RATE,
    ERX_SETTING_LEVEL,
    ERX_SETTING_SWITCH, /* yes or no */
} erx_setting_kind_t;

typedef struct {
    const char *section; /* heading; NULL continues the one before */
    const char *name;
    erx_setting_kind_t kind;
    size_t offset; /* in erx_config_t */
    uint64_t least, greatest;
    const char *initial; /* default, as the file would say it */
    const char *meaning;
} erx_setting_t;

extern const erx_setting_t erx_settings[];
extern const size_t erx_setting_count;

#endif
