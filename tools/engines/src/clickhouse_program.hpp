#pragma once
#include <cameleer/engines/embedded_clickhouse.hpp>

#include "supervisor.hpp"

namespace cameleer::engines {

class ClickHouseProgram final : public Program {
 public:
  explicit ClickHouseProgram(ClickHouseOptions options) : options_(std::move(options)) {}

  /// Before the first start: a new password.
  Expected<void> set_up();
  [[nodiscard]] ClickHouseEndpoint endpoint() const;

  [[nodiscard]] std::string_view name() const override { return "clickhouse"; }
  async::Task<Expected<void>> prepare(const bool& stopping) override;
  Command command() override;
  void on_line(std::string_view line) override;
  bool is_ready(pid_t) override { return listening_; }
  [[nodiscard]] std::string reason_in(const Lines& last) const override;
  [[nodiscard]] int stop_signal() const override;
  [[nodiscard]] std::chrono::seconds stop_limit() const override { return std::chrono::seconds(6); }
  [[nodiscard]] std::chrono::seconds ready_limit() const override { return std::chrono::seconds(60); }

 private:
  [[nodiscard]] std::string password_file() const { return options_.data_dir + "/password"; }

  ClickHouseOptions options_;
  std::string password_;
  std::string address_ = "127.0.0.1:0";  // with the port of the first start in later ones
  bool listening_ = false;
};

}  // namespace cameleer::engines
