#include "server/license/license_service.hpp"

#include "server/license/license_daily.hpp"
#include "server/license/license_record.hpp"

namespace cameleer::server {
namespace {

using namespace std::chrono_literals;

constexpr auto kLook = 2s;            // others' changes, the file: within 5 s
constexpr auto kAfterStart = 60s;     // the second validation
constexpr auto kNoteHighest = 10min;  // how often the highest instant is written

// A list of the database was verified when it was installed. It counts on when the key that signed it has left the
// ring: what was revoked must not come back with a change of keys.
LicenseVerdict<LicenseRevocations> stored_revocations(std::string_view token) {
  auto parts = split_token(token);
  if (!parts) return std::unexpected(std::move(parts.error()));
  return read_unverified_revocations(parts->payload);
}

}  // namespace

LicenseService::LicenseService(postgres::Pool& pool, async::WorkerPool& workers, AuditService& audit, LicenseGate& gate,
                               Clock clock, LicenseServiceSettings settings)
    : store_(pool),
      audit_(audit),
      gate_(gate),
      clock_(std::move(clock)),
      settings_(std::move(settings)),
      sources_(workers, settings_.token, settings_.file),
      started_at_(clock_()) {}

LicenseSource LicenseService::source() const {
  if (const auto highest = sources_.highest(); highest != LicenseSource::none) return highest;
  return rows_.token ? LicenseSource::database : LicenseSource::none;
}

LicenseVerdict<LicenseInfo> LicenseService::judge(std::string_view token, Instant now) const {
  return validate_license(token, settings_.keys, revocations_, settings_.tenant_id, now);
}

LicenseService::Verdict LicenseService::judge(Instant now) const {
  const auto source = this->source();
  if (source == LicenseSource::none) return std::nullopt;
  if (const auto problem = sources_.problem()) {
    return std::unexpected(LicenseRejection{.reason = LicenseReason::MALFORMED,
                                            .message = "The licence file cannot be used: " + *problem + "."});
  }
  return judge(source == LicenseSource::database ? *rows_.token : sources_.token(), now);
}

void LicenseService::take(LicenseRows rows) {
  // Two reads may be under way: an older one must not win.
  if (rows.version < rows_.version) return;
  if (rows.sequence != rows_.sequence && rows.revocations) {
    if (auto list = stored_revocations(*rows.revocations)) revocations_ = std::move(*list);
  }
  rows_ = std::move(rows);
}

async::Task<Expected<void>> LicenseService::read_rows() {
  auto rows = co_await store_.read(settings_.tenant_id);
  if (!rows) co_return std::unexpected(rows.error());
  take(std::move(*rows));
  stale_ = false;
  co_return Expected<void>{};
}

async::Task<Expected<void>> LicenseService::validate() {
  auto read = co_await read_rows();
  const auto now = clock_();
  const LicenseChange change{.before = gate_.snapshot(),
                             .after = std::make_shared<const LicenseStanding>(standing_of(judge(now), now)),
                             .source = source()};
  gate_.set(change.after);
  validated_at_ = now;
  auto text = text_of(*change.after, change.source);
  if (text != standing_text_) {
    const bool is_change = !standing_text_.empty() || change.after->state != LicenseState::ABSENT;
    standing_text_ = std::move(text);
    told_ = false;
    for (const auto& observer : observers_) {
      if (is_change) observer(change);
    }
  }
  if (!read) co_return read;
  co_return co_await tell_audit_log();
}

async::Task<Expected<void>> LicenseService::tell_audit_log() {
  if (told_) co_return Expected<void>{};
  auto transaction = co_await store_.begin();
  if (!transaction) co_return std::unexpected(transaction.error());
  auto before = co_await store_.lock(**transaction, settings_.tenant_id);
  if (!before) co_return std::unexpected(before.error());
  const auto standing = gate_.snapshot();
  const auto text = standing_text_;
  auto entry = entry_of(*before, *standing, source());
  auto put = co_await store_.put_standing(**transaction, text, license_id_of(*standing));
  if (!put) co_return std::unexpected(put.error());
  if (*put && entry) {
    auto added = co_await audit_.append(**transaction, std::move(*entry));
    if (!added) co_return std::unexpected(added.error().for_caller());
  }
  auto committed = co_await (*transaction)->commit();
  if (!committed) co_return std::unexpected(committed.error().for_caller());
  if (text == standing_text_) told_ = true;
  co_return co_await read_rows();
}

async::Task<Expected<void>> LicenseService::load() {
  auto file = co_await sources_.read_file();
  if (!file) co_return file;
  co_return co_await validate();
}

Instant LicenseService::next_validation() const {
  if (!validated_at_) return started_at_;
  const auto second = started_at_ + kAfterStart;
  auto next = *validated_at_ < second ? second : next_daily(*validated_at_, settings_.zone);
  if (const auto changes_at = gate_.snapshot()->changes_at; changes_at && *changes_at < next) next = *changes_at;
  return next;
}

async::Task<Expected<void>> LicenseService::look_at_database() {
  const auto now = clock_();
  auto seen = co_await store_.seen();
  if (!seen) co_return std::unexpected(seen.error());
  stale_ = stale_ || seen->version != rows_.version;
  rows_.highest_seen = std::max(rows_.highest_seen, seen->highest);
  if (now <= rows_.highest_seen || now - noted_at_ < kNoteHighest) co_return Expected<void>{};
  auto noted = co_await store_.put_highest(now);
  if (!noted) co_return noted;
  noted_at_ = rows_.highest_seen = now;
  co_return Expected<void>{};
}

async::Task<Expected<void>> LicenseService::tick() {
  auto looked = co_await look_at_database();
  const bool file_changed = sources_.file_changed();
  if (file_changed) {
    auto file = co_await sources_.read_file();
    if (!file) co_return file;
  }
  const bool due = file_changed || stale_ || !told_ || clock_() >= next_validation();
  if (!due) co_return looked;
  co_return co_await validate();
}

async::Task<> LicenseService::run() {
  auto executor = co_await async::asio::this_coro::executor;
  for (;;) {
    const auto until = std::clamp<std::chrono::milliseconds>(next_validation() - clock_(), 1ms, kLook);
    co_await async::sleep_for(executor, until);
    if ((co_await async::asio::this_coro::cancellation_state).cancelled() != async::asio::cancellation_type::none) {
      co_return;
    }
    // A failure is a database that is gone: readiness tells, the next turn tries again.
    (void)co_await tick();
  }
}

LicenseView LicenseService::view() const {
  const auto now = clock_();
  const auto& standing = gate_.snapshot();
  LicenseView view{.standing = standing,
                   .source = source(),
                   .validated_at = validated_at_,
                   .previous_license_id = rows_.previous_license_id,
                   .clock_skewed = cameleer::clock_skewed(now, rows_.highest_seen),
                   .revocations_sequence = revocations_.sequence,
                   .days_remaining = standing->days_remaining};
  // Counted now, not at the last validation.
  if (standing->license && view.days_remaining > 0) {
    view.days_remaining =
        std::max<std::int64_t>(0, std::chrono::floor<std::chrono::days>(standing->license->expires_at - now).count());
  }
  return view;
}

async::Task<LicenseFailure> LicenseService::reject(LicenseRejection rejection, std::string_view what,
                                                   AuditActor actor) {
  AuditEntry entry{.actor = std::move(actor),
                   .category = AuditCategory::license,
                   .action = "reject_license",
                   .target = std::string(what),
                   .result = AuditResult::failure};
  entry.detail["reason"] = name_of(rejection.reason);
  entry.detail["source"] = "api";
  entry.detail["message"] = rejection.message;
  auto recorded = co_await audit_.record(std::move(entry));
  if (!recorded) co_return LicenseFailure(recorded.error());
  co_return LicenseFailure(Error{ErrorCode::license_rejected, std::move(rejection.message), "/token"},
                           rejection.reason);
}

async::Task<LicenseResult<LicenseView>> LicenseService::install(std::string token, AuditActor actor) {
  auto file = co_await sources_.read_file();
  if (!file) co_return std::unexpected(file.error());
  if (const auto above = sources_.highest(); above != LicenseSource::none) {
    co_return fail(ErrorCode::conflict,
                   fmt::format("The licence comes from the {}, which wins over an installed one.", name_of(above)));
  }
  auto transaction = co_await store_.begin();
  if (!transaction) co_return std::unexpected(transaction.error());
  auto before = co_await store_.lock(**transaction, settings_.tenant_id);
  if (!before) co_return std::unexpected(before.error());
  take(*before);
  const auto now = clock_();
  auto verdict = judge(token, now);
  if (!verdict) {
    (void)co_await (*transaction)->rollback();
    co_return std::unexpected(co_await reject(std::move(verdict.error()), "", std::move(actor)));
  }
  const auto standing = standing_of(verdict, now);
  LicenseInstallation license{.tenant_id = settings_.tenant_id,
                              .token = std::move(token),
                              .license_id = verdict->license_id,
                              .installed_by = actor.username};
  auto entry = installed(*before, standing, std::move(actor));
  auto put = co_await store_.put_license(**transaction, std::move(license), now);
  if (!put) co_return std::unexpected(put.error());
  auto noted =
      co_await store_.put_standing(**transaction, text_of(standing, LicenseSource::database), license_id_of(standing));
  if (!noted) co_return std::unexpected(noted.error());
  auto added = co_await audit_.append(**transaction, std::move(entry));
  if (!added) co_return std::unexpected(added.error().for_caller());
  auto committed = co_await (*transaction)->commit();
  if (!committed) co_return std::unexpected(committed.error().for_caller());
  auto validated = co_await validate();
  if (!validated) co_return std::unexpected(validated.error());
  co_return view();
}

async::Task<Expected<void>> LicenseService::remove(AuditActor actor) {
  auto transaction = co_await store_.begin();
  if (!transaction) co_return std::unexpected(transaction.error());
  auto before = co_await store_.lock(**transaction, settings_.tenant_id);
  if (!before) co_return std::unexpected(before.error());
  if (!before->token) co_return Expected<void>{};
  auto removed = co_await store_.remove_license(**transaction, settings_.tenant_id);
  if (!removed) co_return removed;
  if (sources_.highest() == LicenseSource::none) {
    const auto then = standing_of(std::nullopt, clock_());
    auto noted = co_await store_.put_standing(**transaction, text_of(then, LicenseSource::none), std::nullopt);
    if (!noted) co_return std::unexpected(noted.error());
  }
  AuditEntry entry{.actor = std::move(actor),
                   .category = AuditCategory::license,
                   .action = "remove_license",
                   .target = before->stored_license_id.value_or("")};
  auto added = co_await audit_.append(**transaction, std::move(entry));
  if (!added) co_return std::unexpected(added.error().for_caller());
  auto committed = co_await (*transaction)->commit();
  if (!committed) co_return std::unexpected(committed.error().for_caller());
  co_return co_await validate();
}

async::Task<Expected<LicensePreview>> LicenseService::preview(std::string token) {
  auto counts = co_await store_.counts();
  if (!counts) co_return std::unexpected(counts.error());
  const auto now = clock_();
  auto preview = preview_of(*gate_.snapshot(), standing_of(judge(token, now), now), *counts);
  preview.shadowed_by = sources_.highest();
  co_return preview;
}

async::Task<LicenseResult<LicenseRevocations>> LicenseService::install_revocations(std::string token,
                                                                                   AuditActor actor) {
  const auto now = clock_();
  auto list = validate_revocations(token, settings_.keys, now);
  if (!list) co_return std::unexpected(co_await reject(std::move(list.error()), "revocations", std::move(actor)));
  auto transaction = co_await store_.begin();
  if (!transaction) co_return std::unexpected(transaction.error());
  auto before = co_await store_.lock(**transaction, settings_.tenant_id);
  if (!before) co_return std::unexpected(before.error());
  if (list->sequence <= before->sequence) {
    co_return fail(
        ErrorCode::conflict,
        fmt::format("The list in force has the sequence {}; only a higher one takes its place.", before->sequence),
        "/token");
  }
  auto put = co_await store_.put_revocations(**transaction, std::move(token), list->sequence, actor.username, now);
  if (!put) co_return std::unexpected(put.error());
  AuditEntry entry{
      .actor = std::move(actor), .category = AuditCategory::license, .action = "install_revocations", .target = ""};
  entry.detail["sequence"] = list->sequence;
  entry.detail["licenseIds"] = list->license_ids.size();
  auto added = co_await audit_.append(**transaction, std::move(entry));
  if (!added) co_return std::unexpected(added.error().for_caller());
  auto committed = co_await (*transaction)->commit();
  if (!committed) co_return std::unexpected(committed.error().for_caller());
  auto validated = co_await validate();
  if (!validated) co_return std::unexpected(validated.error());
  co_return std::move(*list);
}

}  // namespace cameleer::server
