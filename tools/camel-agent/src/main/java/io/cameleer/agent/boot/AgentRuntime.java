package io.cameleer.agent.boot;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

import io.cameleer.agent.mask.SensitiveKeys;
import io.cameleer.agent.model.Execution;
import io.cameleer.agent.send.AgentIdentity;
import io.cameleer.agent.send.CamelState;
import io.cameleer.agent.send.Counters;
import io.cameleer.agent.send.ExecutionQueue;
import io.cameleer.agent.send.Reporting;
import io.cameleer.agent.send.Timing;
import io.cameleer.agent.settings.CaptureMode;
import io.cameleer.agent.settings.EngineLevel;
import io.cameleer.agent.settings.Limits;
import io.cameleer.agent.settings.RecordingRules;

/** What the Camel-facing part and the sending part share: the rules, the executions in flight, the queue. Free of Camel types. */
public final class AgentRuntime implements CamelState {

    /** One Camel context as the sending side sees it. */
    public interface Context {
        String camelVersion();

        boolean started();

        boolean stopping();

        Map<String, String> routeStates();
    }

    private static final long ABANDONED_NANOS = TimeUnit.HOURS.toNanos(6);

    private final Limits limits;
    private final Counters counters = new Counters();
    private final ExecutionQueue queue;
    private final Map<String, Execution> inFlight = new ConcurrentHashMap<>();
    private final List<Context> contexts = new CopyOnWriteArrayList<>();
    private final AtomicBoolean reporting = new AtomicBoolean();
    private final AgentIdentity identity;
    private final Timing timing;
    private volatile RecordingRules rules;
    private volatile Reporting reports;

    public AgentRuntime(AgentIdentity identity, RecordingRules rules, Limits limits, Timing timing) {
        this.identity = identity;
        this.rules = rules;
        this.limits = limits;
        this.timing = timing;
        this.queue = new ExecutionQueue(limits.queueExecutions(), limits.queueBytes(), counters);
    }

    public RecordingRules rules() {
        return rules;
    }

    public Limits limits() {
        return limits;
    }

    public Counters counters() {
        return counters;
    }

    public ExecutionQueue queue() {
        return queue;
    }

    /** False when too many are in flight already. */
    public boolean begin(Execution execution) {
        if (inFlight.size() >= limits.inFlight()) {
            counters.add("in_flight_limit", 1);
            return false;
        }
        inFlight.put(execution.executionId, execution);
        return true;
    }

    /** Call once the execution was closed. */
    public void ended(Execution execution) {
        inFlight.remove(execution.executionId);
        queue.add(execution);
    }

    /** A new context; the first one starts the reports. */
    public void contextCreated(Context context) {
        contexts.add(context);
        if (identity != null && reporting.compareAndSet(false, true)) {
            reports = new Reporting(identity, timing, this, queue, this::dueForRunning, counters, () -> rules.sensitiveKeys(), this::configure);
            reports.start();
        }
    }

    public void contextGone(Context context) {
        contexts.remove(context);
    }

    /** At the end of the JVM: lets the contexts finish what they are shutting down, then says goodbye. */
    public void shutdown() {
        Reporting running = reports;
        if (running == null) {
            return;
        }
        try {
            // the contexts' own shutdown runs beside this and holds the JVM anyway; give it a moment to begin
            Thread.sleep(100);
            long deadline = System.nanoTime() + TimeUnit.MINUTES.toNanos(5);
            while (stopping() && System.nanoTime() < deadline) {
                Thread.sleep(25);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        running.end();
    }

    private List<Execution> dueForRunning() {
        List<Execution> due = new ArrayList<>();
        long now = System.nanoTime();
        for (Execution execution : inFlight.values()) {
            long age = now - execution.startNanos;
            if (age > ABANDONED_NANOS) {
                inFlight.remove(execution.executionId);
                counters.add("abandoned", 1);
            } else if (limits.runningAfterMs() > 0 && age > limits.runningAfterMs() * 1_000_000L && due.size() < 100 && execution.announce()) {
                due.add(execution);
            }
        }
        return due;
    }

    /** Takes over what the server's configuration says about recording; what it does not name stays. */
    void configure(Map<String, Object> config) {
        if (config.isEmpty()) {
            return;
        }
        RecordingRules now = rules;
        SensitiveKeys keys = now.sensitiveKeys();
        for (String member : List.of("sensitiveKeys", "mergedSensitiveKeys")) {
            if (config.get(member) instanceof List<?> list) {
                keys = keys.plus(list.stream().filter(String.class::isInstance).map(String.class::cast).toList());
            }
        }
        boolean stored = !(config.get("version") instanceof Number version) || version.longValue() > 0;
        if (!stored) {
            rules = new RecordingRules(now.level(), now.capture(), now.samplingRate(), keys);
            return;
        }
        double rate = config.get("samplingRate") instanceof Number n ? Math.min(1, Math.max(0, n.doubleValue())) : now.samplingRate();
        rules = new RecordingRules(named(EngineLevel.class, config.get("engineLevel"), now.level()),
            named(CaptureMode.class, config.get("payloadCaptureMode"), now.capture()), rate, keys);
    }

    private static <E extends Enum<E>> E named(Class<E> type, Object name, E otherwise) {
        if (name instanceof String text) {
            for (E constant : type.getEnumConstants()) {
                if (constant.name().equals(text.toUpperCase(Locale.ROOT))) {
                    return constant;
                }
            }
        }
        return otherwise;
    }

    @Override
    public String camelVersion() {
        return contexts.isEmpty() ? "" : contexts.get(0).camelVersion();
    }

    @Override
    public String runtime() {
        String command = System.getProperty("sun.java.command", "");
        for (String name : List.of("org.springframework.boot.loader.launch.LaunchedClassLoader", "org.springframework.boot.SpringApplication")) {
            for (Context context : contexts) {
                ClassLoader loader = context.getClass().getClassLoader();
                if (loader != null && present(name, loader)) {
                    return "spring-boot";
                }
            }
        }
        return command.isEmpty() ? "camel" : "camel-main";
    }

    private static boolean present(String name, ClassLoader loader) {
        return loader.getResource(name.replace('.', '/') + ".class") != null;
    }

    @Override
    public boolean started() {
        return contexts.stream().anyMatch(Context::started);
    }

    @Override
    public boolean stopping() {
        return contexts.stream().anyMatch(Context::stopping);
    }

    @Override
    public Map<String, String> routeStates() {
        Map<String, String> states = new TreeMap<>();
        for (Context context : contexts) {
            states.putAll(context.routeStates());
        }
        return states;
    }
}
