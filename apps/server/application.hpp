#pragma once
#include <cameleer/engines/embedded_clickhouse.hpp>
#include <cameleer/engines/embedded_postgres.hpp>
#include <memory>
#include <optional>

#include "server/data_directory/data_directory.hpp"
#include "server/services.hpp"

namespace cameleer::server {

/// A server from its first breath to its last: engines, stores, migrations, first start, HTTP, drain. I/O thread only.
class Application {
 public:
  Application(async::Executor executor, Settings settings, DataDirectory data, identity::Keys keys, Log& log);
  ~Application();
  Application(const Application&) = delete;
  Application& operator=(const Application&) = delete;

  /// Returns when the server is ready, or with what keeps it from ever being so. Stores that are down are waited for,
  /// with HTTP up and readiness saying so.
  async::Task<Expected<void>> start();
  /// Drains requests, writes what is not written, ends the engines. Bounded: 25 s.
  async::Task<> stop();

 private:
  async::Task<Expected<StoreAddresses>> start_engines();
  Expected<LicenseKeyRing> find_license_keys();
  LicenseService::Observer note_license();
  RetentionService::Observer note_retention();
  JournaledWriter::Observer note_journal();
  Health::Observer note_dependency();
  Expected<void> open_http();
  async::Task<Expected<void>> prepare_stores();
  async::Task<Expected<void>> prepare_postgres();
  async::Task<Expected<void>> prepare_clickhouse();
  async::Task<Expected<void>> first_start();
  web::Authorizer gate();
  web::Observer observer();
  void spawn_duties();
  /// For the log, which others keep than those who keep the database.
  AuditLedger::OnHead note_audit_head();

  async::Executor executor_;
  Settings settings_;
  DataDirectory data_;
  identity::Keys keys_;
  Log& log_;
  std::optional<engines::EmbeddedPostgres> embedded_postgres_;
  std::optional<engines::EmbeddedClickHouse> embedded_clickhouse_;
  std::unique_ptr<Services> services_;
  std::unique_ptr<web::Server> http_;
  bool stores_ready_ = false;
  bool stopping_ = false;
};

Clock system_clock();
/// OpenSSL's generator; a failure ends the process, for no key may be guessable.
Random system_random();

}  // namespace cameleer::server
