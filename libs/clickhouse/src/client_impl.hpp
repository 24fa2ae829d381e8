#pragma once
#include <cameleer/clickhouse/client.hpp>

namespace cameleer::clickhouse {

/// What a statement runs with; the database may be another than the client's.
struct Statement {
  std::string sql;
  Parameters parameters = {};
  std::string database;
};

struct Client::Impl : std::enable_shared_from_this<Client::Impl> {
  Impl(async::Executor executor, Options given);

  async::Task<Outcome<void>> execute(Statement statement);
  async::Task<Outcome<void>> select(Statement statement, std::function<bool(const Row&)> on_row);
  async::Task<Outcome<void>> insert(std::string query, std::string body, std::string deduplication_token);
  async::Task<Expected<void>> ping();
  async::Task<Outcome<std::pair<int, int>>> version();

  [[nodiscard]] web::ClientRequest request_for(std::string_view database, const Parameters& parameters,
                                               std::chrono::milliseconds time) const;
  async::Task<Outcome<web::ClientResponse>> send(web::ClientRequest request);

  Options options;
  std::optional<web::Client> http;
  Error no_client;  // why `http` is missing
};

/// A name in backticks.
std::string quote_identifier(std::string_view name);

}  // namespace cameleer::clickhouse
