#pragma once
#include <libpq-fe.h>

#include <cameleer/postgres/pool.hpp>

namespace cameleer::postgres {

/// The code that clients see for a SQLSTATE.
ErrorCode code_of(std::string_view sqlstate);

/// What the server said about a statement.
DatabaseError error_of(const PGresult* result);

/// Failures of our side: `server_text` is the reason as libpq has it, if any.
DatabaseError lost_connection(std::string server_text);
DatabaseError no_connection(std::string server_text);
DatabaseError past_deadline();
DatabaseError closed_pool();
DatabaseError full_pool();

}  // namespace cameleer::postgres
