package io.cameleer.agent.metrics;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/** What went through one route since it was built, counted by the agent itself: every exchange, sampled or not. */
public final class RouteFigures {

    private final LongAdder exchanges = new LongAdder();
    private final LongAdder failures = new LongAdder();
    private final LongAdder entries = new LongAdder();
    private final LongAdder failedEntries = new LongAdder();
    private final LongAdder nanos = new LongAdder();
    private final LongAdder timed = new LongAdder();
    private final AtomicLong longest = new AtomicLong();

    /**
     * An exchange has left the route.
     *
     * @param took nanoseconds, or negative when its beginning was not seen
     * @param failed it left with an exception, or an error handler took its failure over
     * @param entered the exchange began with this route, instead of being sent here by another
     */
    public void passed(long took, boolean failed, boolean entered) {
        exchanges.increment();
        if (failed) {
            failures.increment();
        }
        if (entered) {
            entries.increment();
            if (failed) {
                failedEntries.increment();
            }
        }
        if (took >= 0) {
            nanos.add(took);
            timed.increment();
            if (took > longest.get()) {
                longest.accumulateAndGet(took, Math::max);
            }
        }
    }

    public long exchanges() {
        return exchanges.sum();
    }

    public long failures() {
        return failures.sum();
    }

    public long entries() {
        return entries.sum();
    }

    public long failedEntries() {
        return failedEntries.sum();
    }

    /** Of all passages so far, in milliseconds. */
    public double meanMillis() {
        long count = timed.sum();
        return count == 0 ? 0 : nanos.sum() / 1e6 / count;
    }

    /** Since the last call, in milliseconds. */
    public double takeLongestMillis() {
        return longest.getAndSet(0) / 1e6;
    }
}
