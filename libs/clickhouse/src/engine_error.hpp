#pragma once
#include <cameleer/clickhouse/client.hpp>

namespace cameleer::clickhouse {

/// What an answer with a status other than 200 means.
EngineError engine_error(const web::ClientResponse& answer, std::string_view body);
/// The text of an exception (`Code: N. DB::Exception: …`) anywhere in the bytes that came last.
std::optional<EngineError> find_exception(std::string_view bytes);
EngineError transport_error(Error error);

}  // namespace cameleer::clickhouse
