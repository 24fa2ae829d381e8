#include "server/auth/database_watch.hpp"

namespace cameleer::server {

DatabaseWatch::DatabaseWatch(Clock clock, std::chrono::milliseconds grace)
    : clock_(std::move(clock)), grace_(grace), reached_at_(clock_()) {}

void DatabaseWatch::note(bool reached) {
  if (reached) {
    reached_at_ = clock_();
    lost_since_.reset();
  } else if (!lost_since_) {
    lost_since_ = reached_at_;
  }
}

bool DatabaseWatch::outage() const {
  return lost_since_ && clock_() - *lost_since_ >= grace_;
}

}  // namespace cameleer::server
