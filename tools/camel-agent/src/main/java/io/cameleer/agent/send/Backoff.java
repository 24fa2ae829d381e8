package io.cameleer.agent.send;

import java.util.concurrent.ThreadLocalRandom;

/** How long to wait between attempts: doubling from the least to the most, with a little chance so that agents do not march in step. */
final class Backoff {

    private final long least;
    private final long most;
    private long next;

    Backoff(long least, long most) {
        this.least = least;
        this.most = most;
        this.next = least;
    }

    void reset() {
        next = least;
    }

    /** @param asked what the server asked for, or -1; honoured up to the most */
    long nextMillis(long asked) {
        long wait = next + ThreadLocalRandom.current().nextLong(next / 4 + 1);
        next = Math.min(next * 2, most);
        return asked >= 0 ? Math.min(Math.max(asked, least), most * 2) : Math.min(wait, most);
    }
}
