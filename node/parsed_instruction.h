/* Instructions of the system and memo programs in words, as Solana's jsonParsed
 * shows them. */
#ifndef ERX_NODE_PARSED_INSTRUCTION_H
#define ERX_NODE_PARSED_INSTRUCTION_H

#include "node/json_writer.h"
#include "node/packet_view.h"

/* Writes {"program", "programId", "parsed", "stackHeight"} of an instruction of the
 * transaction with that outcome, whose balances name its accounts. False, with
 * nothing written, where it is of another program or not well formed. */
bool erx_parsed_instruction_json(erx_json_writer_t *writer,
                                 const erx_packet_instruction_t *instruction,
                                 const erx_transaction_outcome_t *outcome);

#endif
