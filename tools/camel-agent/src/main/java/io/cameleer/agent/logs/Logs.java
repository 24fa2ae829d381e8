package io.cameleer.agent.logs;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

import io.cameleer.agent.config.LogLevels;
import io.cameleer.agent.send.Counters;
import io.cameleer.agent.send.RecordQueue;

/** The logging frameworks of the application: where its lines come from, and whose levels the configuration may change. */
public final class Logs implements LogLevels {

    private static final int MOST = 50;
    private static final Set<String> LEVELS = Set.of("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "OFF");

    private static final class Found {
        private final LogSource source;
        private final Map<String, String> changed = new HashMap<>();
        private final Map<String, String> earlier = new HashMap<>();

        Found(LogSource source) {
            this.source = source;
        }
    }

    private final Counters counters;
    private final LogIds ids = new LogIds();
    private final LogIntake intake;
    private final List<Found> found = new ArrayList<>();
    private Map<String, String> wanted = Map.of();

    public Logs(RecordQueue queue, Counters counters) {
        this(queue, counters, LogIntake.PER_SECOND);
    }

    Logs(RecordQueue queue, Counters counters, int perSecond) {
        this.counters = counters;
        this.intake = new LogIntake(queue, counters, ids, perSecond);
    }

    public LogIds ids() {
        return ids;
    }

    public LogIntake intake() {
        return intake;
    }

    /** A framework that the application may be using. @return whether it is listened to */
    public synchronized boolean found(LogSource source) {
        if (found.size() >= MOST || !attached(source)) {
            return false;
        }
        ids.want();
        Found added = new Found(source);
        found.add(added);
        apply(added);
        return true;
    }

    /** Puts back what the application's logging threw away when it was set up again: the appenders, and the levels. */
    public synchronized void ensure() {
        for (Found each : found) {
            attached(each.source);
            apply(each);
        }
    }

    /** Takes everything back. */
    public synchronized void close() {
        wanted = Map.of();
        for (Found each : found) {
            apply(each);
            try {
                each.source.detach();
            } catch (RuntimeException | LinkageError e) {
                counters.add("agent_error", 1);
            }
        }
        found.clear();
    }

    @Override
    public synchronized void apply(Map<String, String> levels) {
        Map<String, String> usable = new HashMap<>();
        levels.forEach((logger, level) -> {
            if (level != null && LEVELS.contains(level.toUpperCase(Locale.ROOT))) {
                usable.put(logger, level.toUpperCase(Locale.ROOT));
            } else {
                counters.add("log_level_unknown", 1);
            }
        });
        wanted = usable;
        found.forEach(this::apply);
    }

    private boolean attached(LogSource source) {
        try {
            return source.attach();
        } catch (RuntimeException | LinkageError e) {
            counters.add("agent_error", 1);
            return false;
        }
    }

    private void apply(Found each) {
        try {
            for (String logger : Set.copyOf(each.changed.keySet())) {
                if (!wanted.containsKey(logger)) {
                    String ours = each.changed.remove(logger);
                    String before = each.earlier.remove(logger);
                    // what the application itself has changed since then is its own
                    if (ours.equals(each.source.level(logger))) {
                        each.source.level(logger, before);
                    }
                }
            }
            wanted.forEach((logger, level) -> set(each, logger, level));
        } catch (RuntimeException | LinkageError e) {
            counters.add("agent_error", 1);
        }
    }

    private static void set(Found each, String logger, String level) {
        String present = each.source.level(logger);
        if (!level.equals(present)) {
            if (!each.changed.containsKey(logger)) {
                each.earlier.put(logger, present);
            }
            each.source.level(logger, level);
        }
        if (!each.changed.containsKey(logger)) {
            each.earlier.putIfAbsent(logger, present);
        }
        each.changed.put(logger, level);
    }
}
