package io.cameleer.agent.send;

/** The server cannot be used right now; worth another attempt later. */
public final class Unavailable extends Exception {

    private static final long serialVersionUID = 1L;

    private final long retryAfterMillis;

    /** @param retryAfterMillis what the server asked for, or -1 */
    public Unavailable(String reason, long retryAfterMillis) {
        super(reason, null, false, false);
        this.retryAfterMillis = retryAfterMillis;
    }

    public long retryAfterMillis() {
        return retryAfterMillis;
    }
}
