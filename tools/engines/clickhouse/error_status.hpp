#pragma once

namespace cameleer::engine {

/// HTTP status that ClickHouse answers with for one of its error codes (its `exceptionCodeToHTTPStatus`).
int http_status_of(int code);

}  // namespace cameleer::engine
