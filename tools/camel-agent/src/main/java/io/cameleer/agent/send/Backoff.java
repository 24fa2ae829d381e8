package io.cameleer.agent.send;

import java.util.concurrent.ThreadLocalRandom;

/** How long to wait between attempts: doubling from the least to the most, with a little chance so that agents do not march in step. */
public final class Backoff {

    private final long least;
    private final long most;
    private long next;

    public Backoff(long least, long most) {
        this.least = least;
        this.most = most;
        this.next = least;
    }

    public void reset() {
        next = least;
    }

    /** @param asked what the server asked for, or -1; honoured up to the most */
    public long nextMillis(long asked) {
        long chance = ThreadLocalRandom.current().nextLong(next / 4 + 1);
        long wait = asked >= 0 ? Math.min(Math.max(asked, least), most * 2) + chance : next - chance;
        next = Math.min(next * 2, most);
        return wait;
    }
}
