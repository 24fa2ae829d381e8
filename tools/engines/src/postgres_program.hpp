#pragma once
#include <cameleer/engines/embedded_postgres.hpp>

#include "private_directory.hpp"
#include "supervisor.hpp"

namespace cameleer::engines {

class PostgresProgram final : public Program {
 public:
  PostgresProgram(async::Executor executor, PostgresOptions options)
      : executor_(executor), options_(std::move(options)) {}

  /// Checks the programs and the user, once before the first start.
  Expected<void> set_up();
  [[nodiscard]] std::string conninfo() const;
  void release() { lock_.release(); }

  [[nodiscard]] std::string_view name() const override { return "postgres"; }
  async::Task<Expected<void>> prepare(const bool& stopping) override;
  Command command() override;
  void on_line(std::string_view) override {}
  bool is_ready(pid_t pid) override;
  [[nodiscard]] std::string reason_in(const Lines& last) const override;
  [[nodiscard]] int stop_signal() const override;
  [[nodiscard]] std::chrono::seconds stop_limit() const override { return std::chrono::seconds(10); }
  [[nodiscard]] std::chrono::seconds ready_limit() const override { return std::chrono::seconds(60); }

 private:
  [[nodiscard]] std::string cluster() const { return options_.data_dir + "/cluster"; }
  [[nodiscard]] std::string password_file() const { return options_.data_dir + "/password"; }
  /// `arguments` run as the owner, dying with this process by `signal`.
  [[nodiscard]] Command as_owner(std::vector<std::string> arguments, std::string_view signal) const;
  async::Task<Expected<void>> take_directory(const bool& stopping);
  async::Task<Expected<void>> make_cluster();
  async::Task<Expected<void>> remove_unfinished(const std::string& fresh);
  async::Task<Expected<void>> provision(const std::string& cluster, bool fresh);
  async::Task<Expected<void>> run_to_end(Command command, std::string_view purpose);
  Expected<void> write_configuration() const;

  async::Executor executor_;
  PostgresOptions options_;
  Owner owner_;
  std::string socket_dir_;
  std::string password_;
  FileLock lock_;
};

}  // namespace cameleer::engines
