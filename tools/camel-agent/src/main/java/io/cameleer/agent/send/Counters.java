package io.cameleer.agent.send;

import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/** What the agent left out, and why; since the start of the JVM. The heartbeat reports them, so that a drop is never silent. */
public final class Counters {

    private final Map<String, LongAdder> counts = new ConcurrentHashMap<>();

    public void add(String reason, long n) {
        counts.computeIfAbsent(reason, r -> new LongAdder()).add(n);
    }

    public long get(String reason) {
        LongAdder count = counts.get(reason);
        return count == null ? 0 : count.sum();
    }

    public Map<String, Long> all() {
        Map<String, Long> all = new TreeMap<>();
        counts.forEach((reason, count) -> all.put(reason, count.sum()));
        return all;
    }
}
