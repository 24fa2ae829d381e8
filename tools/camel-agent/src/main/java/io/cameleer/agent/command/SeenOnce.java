package io.cameleer.agent.command;

import java.util.HashMap;
import java.util.Map;

/** Remembers command ids and nonces for as long as they could come again. When it is full, it takes none rather than forget one. */
final class SeenOnce {

    /** A clock that is set back must not make a settled command good again. */
    private static final long KEPT_AFTER_MILLIS = 10 * 60_000;

    private final int most;
    private final Map<String, Long> until = new HashMap<>();

    SeenOnce(int most) {
        this.most = most;
    }

    /** True when neither was seen before and both are remembered now. */
    boolean take(String commandId, String nonce, long expiresAtMillis, long nowMillis) {
        if (until.containsKey("c" + commandId) || until.containsKey("n" + nonce)) {
            return false;
        }
        if (until.size() + 2 > most) {
            until.values().removeIf(end -> end < nowMillis);
            if (until.size() + 2 > most) {
                return false;
            }
        }
        until.put("c" + commandId, expiresAtMillis + KEPT_AFTER_MILLIS);
        until.put("n" + nonce, expiresAtMillis + KEPT_AFTER_MILLIS);
        return true;
    }
}
