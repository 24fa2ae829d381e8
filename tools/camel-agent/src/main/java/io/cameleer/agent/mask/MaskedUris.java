package io.cameleer.agent.mask;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;

/**
 * Remembers what addresses look like masked: most sends go to the same few. Bounded: what comes when it is full, such as addresses made
 * for one message each, is masked every time. Other sensitive names begin a new memory.
 */
public final class MaskedUris {

    static final int MOST = 1_000;
    static final int LONGEST = 2_048;

    private record Known(SensitiveKeys keys, Map<String, String> uris) {
    }

    private final UnaryOperator<String> before;
    private volatile Known known = new Known(null, Map.of());

    /** @param before applied to an address before it is masked */
    public MaskedUris(UnaryOperator<String> before) {
        this.before = before;
    }

    public String mask(String uri, SensitiveKeys keys) {
        Known now = known;
        if (now.keys() != keys) {
            now = new Known(keys, new ConcurrentHashMap<>());
            known = now;
        }
        String masked = now.uris().get(uri);
        if (masked == null) {
            masked = UriMasker.mask(before.apply(uri), keys);
            if (now.uris().size() < MOST && uri.length() <= LONGEST) {
                now.uris().put(uri, masked);
            }
        }
        return masked;
    }

    /** For tests. */
    int size() {
        return known.uris().size();
    }
}
