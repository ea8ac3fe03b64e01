#include "engine/transaction/transaction_error.h"

static const char *const transaction_names[] = {
    [ERX_TRANSACTION_OK] = "Ok",
    [ERX_TRANSACTION_ACCOUNT_IN_USE] = "AccountInUse",
    [ERX_TRANSACTION_ACCOUNT_LOADED_TWICE] = "AccountLoadedTwice",
    [ERX_TRANSACTION_ACCOUNT_NOT_FOUND] = "AccountNotFound",
    [ERX_TRANSACTION_PROGRAM_ACCOUNT_NOT_FOUND] = "ProgramAccountNotFound",
    [ERX_TRANSACTION_INSUFFICIENT_FUNDS_FOR_FEE] = "InsufficientFundsForFee",
    [ERX_TRANSACTION_INVALID_ACCOUNT_FOR_FEE] = "InvalidAccountForFee",
    [ERX_TRANSACTION_ALREADY_PROCESSED] = "AlreadyProcessed",
    [ERX_TRANSACTION_BLOCKHASH_NOT_FOUND] = "BlockhashNotFound",
    [ERX_TRANSACTION_INSTRUCTION_ERROR] = "InstructionError",
    [ERX_TRANSACTION_CALL_CHAIN_TOO_DEEP] = "CallChainTooDeep",
    [ERX_TRANSACTION_MISSING_SIGNATURE_FOR_FEE] = "MissingSignatureForFee",
    [ERX_TRANSACTION_INVALID_ACCOUNT_INDEX] = "InvalidAccountIndex",
    [ERX_TRANSACTION_SIGNATURE_FAILURE] = "SignatureFailure",
    [ERX_TRANSACTION_INVALID_PROGRAM_FOR_EXECUTION] = "InvalidProgramForExecution",
    [ERX_TRANSACTION_SANITIZE_FAILURE] = "SanitizeFailure",
    [ERX_TRANSACTION_CLUSTER_MAINTENANCE] = "ClusterMaintenance",
    [ERX_TRANSACTION_ACCOUNT_BORROW_OUTSTANDING] = "AccountBorrowOutstanding",
    [ERX_TRANSACTION_WOULD_EXCEED_MAX_BLOCK_COST_LIMIT] = "WouldExceedMaxBlockCostLimit",
    [ERX_TRANSACTION_UNSUPPORTED_VERSION] = "UnsupportedVersion",
    [ERX_TRANSACTION_INVALID_WRITABLE_ACCOUNT] = "InvalidWritableAccount",
    [ERX_TRANSACTION_WOULD_EXCEED_MAX_ACCOUNT_COST_LIMIT] = "WouldExceedMaxAccountCostLimit",
    [ERX_TRANSACTION_WOULD_EXCEED_ACCOUNT_DATA_BLOCK_LIMIT] = "WouldExceedAccountDataBlockLimit",
    [ERX_TRANSACTION_TOO_MANY_ACCOUNT_LOCKS] = "TooManyAccountLocks",
    [ERX_TRANSACTION_ADDRESS_LOOKUP_TABLE_NOT_FOUND] = "AddressLookupTableNotFound",
    [ERX_TRANSACTION_INVALID_ADDRESS_LOOKUP_TABLE_OWNER] = "InvalidAddressLookupTableOwner",
    [ERX_TRANSACTION_INVALID_ADDRESS_LOOKUP_TABLE_DATA] = "InvalidAddressLookupTableData",
    [ERX_TRANSACTION_INVALID_ADDRESS_LOOKUP_TABLE_INDEX] = "InvalidAddressLookupTableIndex",
    [ERX_TRANSACTION_INVALID_RENT_PAYING_ACCOUNT] = "InvalidRentPayingAccount",
    [ERX_TRANSACTION_WOULD_EXCEED_MAX_VOTE_COST_LIMIT] = "WouldExceedMaxVoteCostLimit",
    [ERX_TRANSACTION_WOULD_EXCEED_ACCOUNT_DATA_TOTAL_LIMIT] = "WouldExceedAccountDataTotalLimit",
    [ERX_TRANSACTION_DUPLICATE_INSTRUCTION] = "DuplicateInstruction",
    [ERX_TRANSACTION_INSUFFICIENT_FUNDS_FOR_RENT] = "InsufficientFundsForRent",
    [ERX_TRANSACTION_MAX_LOADED_ACCOUNTS_DATA_SIZE_EXCEEDED] = "MaxLoadedAccountsDataSizeExceeded",
    [ERX_TRANSACTION_INVALID_LOADED_ACCOUNTS_DATA_SIZE_LIMIT] =
        "InvalidLoadedAccountsDataSizeLimit",
    [ERX_TRANSACTION_RESANITIZATION_NEEDED] = "ResanitizationNeeded",
    [ERX_TRANSACTION_PROGRAM_EXECUTION_TEMPORARILY_RESTRICTED] =
        "ProgramExecutionTemporarilyRestricted",
    [ERX_TRANSACTION_UNBALANCED_TRANSACTION] = "UnbalancedTransaction",
    [ERX_TRANSACTION_PROGRAM_CACHE_HIT_MAX_LIMIT] = "ProgramCacheHitMaxLimit",
    [ERX_TRANSACTION_COMMIT_CANCELLED] = "CommitCancelled",
};

static const char *const instruction_names[] = {
    [ERX_INSTRUCTION_GENERIC_ERROR] = "GenericError",
    [ERX_INSTRUCTION_INVALID_ARGUMENT] = "InvalidArgument",
    [ERX_INSTRUCTION_INVALID_INSTRUCTION_DATA] = "InvalidInstructionData",
    [ERX_INSTRUCTION_INVALID_ACCOUNT_DATA] = "InvalidAccountData",
    [ERX_INSTRUCTION_ACCOUNT_DATA_TOO_SMALL] = "AccountDataTooSmall",
    [ERX_INSTRUCTION_INSUFFICIENT_FUNDS] = "InsufficientFunds",
    [ERX_INSTRUCTION_INCORRECT_PROGRAM_ID] = "IncorrectProgramId",
    [ERX_INSTRUCTION_MISSING_REQUIRED_SIGNATURE] = "MissingRequiredSignature",
    [ERX_INSTRUCTION_ACCOUNT_ALREADY_INITIALIZED] = "AccountAlreadyInitialized",
    [ERX_INSTRUCTION_UNINITIALIZED_ACCOUNT] = "UninitializedAccount",
    [ERX_INSTRUCTION_UNBALANCED_INSTRUCTION] = "UnbalancedInstruction",
    [ERX_INSTRUCTION_MODIFIED_PROGRAM_ID] = "ModifiedProgramId",
    [ERX_INSTRUCTION_EXTERNAL_ACCOUNT_LAMPORT_SPEND] = "ExternalAccountLamportSpend",
    [ERX_INSTRUCTION_EXTERNAL_ACCOUNT_DATA_MODIFIED] = "ExternalAccountDataModified",
    [ERX_INSTRUCTION_READONLY_LAMPORT_CHANGE] = "ReadonlyLamportChange",
    [ERX_INSTRUCTION_READONLY_DATA_MODIFIED] = "ReadonlyDataModified",
    [ERX_INSTRUCTION_DUPLICATE_ACCOUNT_INDEX] = "DuplicateAccountIndex",
    [ERX_INSTRUCTION_EXECUTABLE_MODIFIED] = "ExecutableModified",
    [ERX_INSTRUCTION_RENT_EPOCH_MODIFIED] = "RentEpochModified",
    [ERX_INSTRUCTION_NOT_ENOUGH_ACCOUNT_KEYS] = "NotEnoughAccountKeys",
    [ERX_INSTRUCTION_ACCOUNT_DATA_SIZE_CHANGED] = "AccountDataSizeChanged",
    [ERX_INSTRUCTION_ACCOUNT_NOT_EXECUTABLE] = "AccountNotExecutable",
    [ERX_INSTRUCTION_ACCOUNT_BORROW_FAILED] = "AccountBorrowFailed",
    [ERX_INSTRUCTION_ACCOUNT_BORROW_OUTSTANDING] = "AccountBorrowOutstanding",
    [ERX_INSTRUCTION_DUPLICATE_ACCOUNT_OUT_OF_SYNC] = "DuplicateAccountOutOfSync",
    [ERX_INSTRUCTION_CUSTOM] = "Custom",
    [ERX_INSTRUCTION_INVALID_ERROR] = "InvalidError",
    [ERX_INSTRUCTION_EXECUTABLE_DATA_MODIFIED] = "ExecutableDataModified",
    [ERX_INSTRUCTION_EXECUTABLE_LAMPORT_CHANGE] = "ExecutableLamportChange",
    [ERX_INSTRUCTION_EXECUTABLE_ACCOUNT_NOT_RENT_EXEMPT] = "ExecutableAccountNotRentExempt",
    [ERX_INSTRUCTION_UNSUPPORTED_PROGRAM_ID] = "UnsupportedProgramId",
    [ERX_INSTRUCTION_CALL_DEPTH] = "CallDepth",
    [ERX_INSTRUCTION_MISSING_ACCOUNT] = "MissingAccount",
    [ERX_INSTRUCTION_REENTRANCY_NOT_ALLOWED] = "ReentrancyNotAllowed",
    [ERX_INSTRUCTION_MAX_SEED_LENGTH_EXCEEDED] = "MaxSeedLengthExceeded",
    [ERX_INSTRUCTION_INVALID_SEEDS] = "InvalidSeeds",
    [ERX_INSTRUCTION_INVALID_REALLOC] = "InvalidRealloc",
    [ERX_INSTRUCTION_COMPUTATIONAL_BUDGET_EXCEEDED] = "ComputationalBudgetExceeded",
    [ERX_INSTRUCTION_PRIVILEGE_ESCALATION] = "PrivilegeEscalation",
    [ERX_INSTRUCTION_PROGRAM_ENVIRONMENT_SETUP_FAILURE] = "ProgramEnvironmentSetupFailure",
    [ERX_INSTRUCTION_PROGRAM_FAILED_TO_COMPLETE] = "ProgramFailedToComplete",
    [ERX_INSTRUCTION_PROGRAM_FAILED_TO_COMPILE] = "ProgramFailedToCompile",
    [ERX_INSTRUCTION_IMMUTABLE] = "Immutable",
    [ERX_INSTRUCTION_INCORRECT_AUTHORITY] = "IncorrectAuthority",
    [ERX_INSTRUCTION_BORSH_IO_ERROR] = "BorshIoError",
    [ERX_INSTRUCTION_ACCOUNT_NOT_RENT_EXEMPT] = "AccountNotRentExempt",
    [ERX_INSTRUCTION_INVALID_ACCOUNT_OWNER] = "InvalidAccountOwner",
    [ERX_INSTRUCTION_ARITHMETIC_OVERFLOW] = "ArithmeticOverflow",
    [ERX_INSTRUCTION_UNSUPPORTED_SYSVAR] = "UnsupportedSysvar",
    [ERX_INSTRUCTION_ILLEGAL_OWNER] = "IllegalOwner",
    [ERX_INSTRUCTION_MAX_ACCOUNTS_DATA_ALLOCATIONS_EXCEEDED] = "MaxAccountsDataAllocationsExceeded",
    [ERX_INSTRUCTION_MAX_ACCOUNTS_EXCEEDED] = "MaxAccountsExceeded",
    [ERX_INSTRUCTION_MAX_INSTRUCTION_TRACE_LENGTH_EXCEEDED] = "MaxInstructionTraceLengthExceeded",
    [ERX_INSTRUCTION_BUILTIN_PROGRAMS_MUST_CONSUME_COMPUTE_UNITS] =
        "BuiltinProgramsMustConsumeComputeUnits",
};

ERX_STATIC_ASSERT(ERX_COUNT(transaction_names) == ERX_TRANSACTION_ERROR_COUNT, "all have names");
ERX_STATIC_ASSERT(ERX_COUNT(instruction_names) == ERX_INSTRUCTION_ERROR_COUNT, "all have names");

const char *erx_transaction_error_name(erx_transaction_error_t error)
{
    return (uint32_t)error < ERX_TRANSACTION_ERROR_COUNT ? transaction_names[error] : "Unknown";
}

const char *erx_instruction_error_name(erx_instruction_error_t error)
{
    return (uint32_t)error < ERX_INSTRUCTION_ERROR_COUNT ? instruction_names[error] : "Unknown";
}
