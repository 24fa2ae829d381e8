#pragma once
#include <cameleer/core/license_validation.hpp>

#include "server/license/license_enforcer.hpp"
#include "server/license/license_service.hpp"
#include "services_on_loop.hpp"

namespace cameleer::test {

/// A vendor: an Ed25519 key, made anew each time.
class Vendor {
 public:
  Vendor();
  ~Vendor();
  Vendor(const Vendor&) = delete;
  Vendor& operator=(const Vendor&) = delete;

  [[nodiscard]] LicenseKey public_key(std::optional<std::string> key_id = {}) const;
  [[nodiscard]] std::string sign(const std::string& payload) const;
  [[nodiscard]] std::string token(const LicenseInfo& license) const { return sign(canonical_payload(license)); }
  [[nodiscard]] std::string token(const LicenseRevocations& list) const { return sign(canonical_payload(list)); }

 private:
  void* key_;
};

/// Licences over a migrated schema of their own, with a clock that the test moves. Agents are capped.
struct LicenseOnLoop : ServicesOnLoop {
  LicenseOnLoop();

  /// A start of a process, by default with no licence in its settings, and trusting `vendor`.
  std::unique_ptr<server::LicenseService> start(server::LicenseGate& at, std::string token = "", std::string file = "",
                                                const Vendor* trusted = nullptr);
  /// A year from now, with these limits.
  [[nodiscard]] LicenseInfo licence(int number = 1) const;
  [[nodiscard]] std::string state() const { return std::string(name_of(gate.snapshot()->state)); }
  /// Actions of the audit log about licences, the oldest first, as `action target`.
  std::string audited();
  std::string install(const std::string& token);

  Vendor vendor;
  server::LicenseGate gate;
  server::LicenseEnforcer caps;
  std::unique_ptr<server::LicenseService> license;
  struct Seen {
    Instant at{};
    std::string before, after;
  };
  std::vector<Seen> seen;
};

std::string license_id(int number);

}  // namespace cameleer::test
