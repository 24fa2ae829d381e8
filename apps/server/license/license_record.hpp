#pragma once
#include <cameleer/core/license_state.hpp>

#include "server/audit/audit_service.hpp"
#include "server/license/license_sources.hpp"
#include "server/license/license_store.hpp"

/// What the audit log says of licences.
namespace cameleer::server {

/// Of ACTIVE, GRACE and EXPIRED, and of a rejected one that was read.
std::optional<std::string> license_id_of(const LicenseStanding& standing);

/// All that makes one standing another one: state, source, licence, reason, limits. Two processes that see the same
/// write the same.
std::string text_of(const LicenseStanding& standing, LicenseSource source);

/// The entry for what this server found by itself, where the rows say what was found before; nothing: there never was
/// a licence.
std::optional<AuditEntry> entry_of(const LicenseRows& before, const LicenseStanding& now, LicenseSource source);

/// The entry for a licence that somebody installed.
AuditEntry installed(const LicenseRows& before, const LicenseStanding& now, AuditActor actor);

}  // namespace cameleer::server
