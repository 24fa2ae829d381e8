#include "license_on_loop.hpp"

#include <openssl/evp.h>

#include <cameleer/core/base64.hpp>

namespace cameleer::test {
namespace {

EVP_PKEY* key_in(void* key) {
  return static_cast<EVP_PKEY*>(key);
}

server::AgentServiceSettings capped(server::LicenseEnforcer& caps) {
  server::AgentServiceSettings settings;
  settings.caps = &caps;
  return settings;
}

}  // namespace

Vendor::Vendor() : key_(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")) {}
Vendor::~Vendor() {
  EVP_PKEY_free(key_in(key_));
}

LicenseKey Vendor::public_key(std::optional<std::string> key_id) const {
  LicenseKey key{.key_id = std::move(key_id)};
  std::size_t size = key.bytes.size();
  if (EVP_PKEY_get_raw_public_key(key_in(key_), key.bytes.data(), &size) != 1) throw std::runtime_error("no key");
  return key;
}

std::string Vendor::sign(const std::string& payload) const {
  std::string signature(64, '\0');
  std::size_t size = signature.size();
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  const bool done = EVP_DigestSignInit(context, nullptr, nullptr, nullptr, key_in(key_)) == 1 &&
                    EVP_DigestSign(context, reinterpret_cast<unsigned char*>(signature.data()), &size,
                                   reinterpret_cast<const unsigned char*>(payload.data()), payload.size()) == 1;
  EVP_MD_CTX_free(context);
  if (!done) throw std::runtime_error("no signature");
  return base64(payload) + "." + base64(signature);
}

std::string license_id(int number) {
  return fmt::format("00000000-0000-4000-8000-{:012}", number);
}

LicenseOnLoop::LicenseOnLoop() : ServicesOnLoop({}, capped(caps)), caps(gate, *audit, [this] { return now; }) {
  if (!run(environments->ensure_first())) throw std::runtime_error("no first environment");
  license = start(gate);
  license->on_change([this](const server::LicenseChange& change) {
    seen.push_back({.at = now,
                    .before = std::string(name_of(change.before->state)),
                    .after = std::string(name_of(change.after->state))});
  });
}

std::unique_ptr<server::LicenseService> LicenseOnLoop::start(server::LicenseGate& at, std::string token,
                                                             std::string file, const Vendor* trusted) {
  const auto& root = trusted == nullptr ? vendor : *trusted;
  auto keys = LicenseKeyRing::of({root.public_key()}, LicenseTrust::environment);
  auto service = std::make_unique<server::LicenseService>(
      *pool, workers, *audit, at, [this] { return now; },
      server::LicenseServiceSettings{.tenant_id = "default",
                                     .token = std::move(token),
                                     .file = std::move(file),
                                     .zone = "Europe/Berlin",
                                     .keys = std::move(*keys)});
  auto loaded = run(service->load());
  if (!loaded) throw std::runtime_error(loaded.error().message);
  return service;
}

LicenseInfo LicenseOnLoop::licence(int number) const {
  LicenseInfo info{.license_id = license_id(number), .tenant_id = "default", .label = "Test"};
  info.limits.set(LicenseLimit::max_users, 25);
  info.limits.set(LicenseLimit::max_agents, 7);
  info.issued_at = std::chrono::floor<std::chrono::seconds>(now);
  info.expires_at = info.issued_at + std::chrono::days(365);
  return info;
}

std::string LicenseOnLoop::audited() {
  return cell(
      "select coalesce(string_agg(action || ' ' || right(target, 1), ', ' order by id), '') from audit_log where "
      "category = 'LICENSE'");
}

std::string LicenseOnLoop::install(const std::string& token) {
  auto view = run(license->install(token, {.username = "ada"}));
  if (view) return std::string(name_of(view->standing->state));
  return view.error().reason ? std::string(name_of(*view.error().reason))
                             : std::string(name_of(view.error().error.code));
}

}  // namespace cameleer::test
