package io.cameleer.agent.logs;

import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

import io.cameleer.agent.model.Failure;
import io.cameleer.agent.send.Counters;
import io.cameleer.agent.send.RecordQueue;

/**
 * Takes the application's log lines over, on the threads that log them: cut to size, at most so many a second, and never one that was
 * caused by the taking over itself. Never throws, never waits, never logs.
 */
public final class LogIntake {

    /** Lines and bytes that may wait for the server. */
    public static final int QUEUE = 10_000;
    public static final long QUEUE_BYTES = 8L << 20;

    static final int PER_SECOND = 2_000;
    static final int MESSAGE = 16_384;
    private static final int STACK = 16_384;
    private static final int NAME = 512;
    private static final int MDC_ENTRIES = 50;
    private static final int MDC_VALUE = 1_024;

    /** What a framework says of a line without being asked to format it. */
    public record Head(long millis, String level, String logger, String thread) {
    }

    private final RecordQueue queue;
    private final Counters counters;
    private final LogIds ids;
    private final int perSecond;
    private final ThreadLocal<Boolean> inside = new ThreadLocal<>();
    private final AtomicLong second = new AtomicLong();
    private final AtomicInteger count = new AtomicInteger();

    LogIntake(RecordQueue queue, Counters counters, LogIds ids, int perSecond) {
        this.queue = queue;
        this.counters = counters;
        this.ids = ids;
        this.perSecond = perSecond;
    }

    /**
     * @param message asked for only when the line is taken; may log itself
     * @param mdc may be null
     */
    public void take(Head head, Supplier<String> message, Throwable thrown, Map<String, String> mdc) {
        if (inside.get() != null || own(head)) {
            return;
        }
        if (!admitted()) {
            counters.add("logs_rate_limit", 1);
            return;
        }
        inside.set(Boolean.TRUE);
        try {
            Map<String, String> kept = kept(mdc);
            LogIds.Place here = ids.here();
            String exchange = first(kept, LogIds.EXCHANGE, "camel.exchangeId", here == null ? null : here.exchangeId());
            String route = first(kept, LogIds.ROUTE, "camel.routeId", here == null ? null : here.routeId());
            if (here != null && here.processorId() != null) {
                kept.putIfAbsent(LogIds.PROCESSOR, here.processorId());
            }
            String stack = thrown == null ? null : Failure.of(thrown, STACK).stackTrace();
            queue.add(new LogLine(head.millis(), head.level(), cut(head.logger(), NAME), cut(head.thread(), NAME), cut(message.get(), MESSAGE),
                stack, kept, exchange, route));
        } catch (RuntimeException | LinkageError e) {
            counters.add("logs_unreadable", 1);
        } finally {
            inside.remove();
        }
    }

    private static boolean own(Head head) {
        return head.logger() != null && head.logger().startsWith("io.cameleer.agent.")
            || head.thread() != null && head.thread().startsWith("cameleer-");
    }

    private boolean admitted() {
        long now = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime());
        long seen = second.get();
        if (seen != now && second.compareAndSet(seen, now)) {
            count.set(0);
        }
        return count.incrementAndGet() <= perSecond;
    }

    private static Map<String, String> kept(Map<String, String> mdc) {
        Map<String, String> kept = new TreeMap<>();
        if (mdc != null) {
            for (Map.Entry<String, String> entry : mdc.entrySet()) {
                if (entry.getKey() != null && entry.getValue() != null && kept.size() < MDC_ENTRIES) {
                    kept.put(cut(entry.getKey(), NAME), cut(entry.getValue(), MDC_VALUE));
                }
            }
        }
        return kept;
    }

    private static String first(Map<String, String> mdc, String ours, String camels, String otherwise) {
        String value = mdc.get(ours);
        if (value == null) {
            value = otherwise != null ? otherwise : mdc.get(camels);
        }
        return value;
    }

    private static String cut(String text, int limit) {
        if (text == null) {
            return "";
        }
        return text.length() <= limit ? text : text.substring(0, limit) + "…";
    }
}
