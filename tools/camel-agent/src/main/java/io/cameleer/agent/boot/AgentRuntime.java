package io.cameleer.agent.boot;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

import io.cameleer.agent.command.CamelControl;
import io.cameleer.agent.config.Configuration;
import io.cameleer.agent.config.LiveConfig;
import io.cameleer.agent.config.LogLevels;
import io.cameleer.agent.events.AgentEvents;
import io.cameleer.agent.mask.SensitiveKeys;
import io.cameleer.agent.model.Execution;
import io.cameleer.agent.send.AgentIdentity;
import io.cameleer.agent.send.CamelState;
import io.cameleer.agent.send.Counters;
import io.cameleer.agent.send.ExecutionQueue;
import io.cameleer.agent.send.Reporting;
import io.cameleer.agent.send.Timing;
import io.cameleer.agent.settings.Limits;
import io.cameleer.agent.settings.Permissions;
import io.cameleer.agent.settings.RecordingRules;

/** What the Camel-facing part and the sending part share: the rules, the executions in flight, the queue. Free of Camel types. */
public final class AgentRuntime implements CamelState {

    /** One Camel context as the sending side sees it. */
    public interface Context extends AgentTelemetry.Context {
        String camelVersion();

        boolean started();

        boolean stopping();

        Map<String, String> routeStates();

        CamelControl control();
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
    private final Map<String, String> diagramHashes = new ConcurrentHashMap<>();
    private final Configuration configuration;
    private final Permissions permissions;
    private final AgentTelemetry telemetry;
    private volatile Reporting reports;

    public AgentRuntime(AgentIdentity identity, RecordingRules rules, Limits limits, Timing timing) {
        this(identity, rules, limits, timing, Permissions.all());
    }

    public AgentRuntime(AgentIdentity identity, RecordingRules rules, Limits limits, Timing timing, Permissions permissions) {
        this.identity = identity;
        this.configuration = new Configuration(rules, counters);
        this.permissions = permissions;
        this.limits = limits;
        this.timing = timing;
        this.queue = new ExecutionQueue(limits.queueExecutions(), limits.queueBytes(), counters);
        this.telemetry = new AgentTelemetry(counters, configuration::live, diagramHashes, () -> contexts);
        configuration.addLogLevels(telemetry.logs());
    }

    /** What is reported besides executions. */
    public AgentTelemetry telemetry() {
        return telemetry;
    }

    public AgentEvents events() {
        return telemetry.events();
    }

    public RecordingRules rules() {
        return configuration.live().rules();
    }

    /** What the agent goes by now. Immutable: take it once and keep to it. */
    public LiveConfig config() {
        return configuration.live();
    }

    public Configuration configuration() {
        return configuration;
    }

    /** Told of the loggers' levels now and of every change. */
    public void addLogLevels(LogLevels hook) {
        configuration.addLogLevels(hook);
    }

    /** Route id → the diagram that its executions refer to. */
    public Map<String, String> diagramHashes() {
        return diagramHashes;
    }

    /** A route was started, stopped, suspended or resumed: the next heartbeat goes out at once. Never waits. */
    public void routesChanged() {
        Reporting running = reports;
        if (running != null) {
            running.beatSoon();
        }
    }

    /** A text that is about to leave the JVM and was made by the application, without the agent's own secret. */
    public String withoutSecret(String text) {
        return text == null || identity == null || identity.apiKey().isEmpty() ? text
            : text.replace(identity.apiKey(), SensitiveKeys.MASK);
    }

    @Override
    public List<CamelControl> controls() {
        return contexts.stream().map(Context::control).toList();
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
            reports = new Reporting(identity, timing, this, queue, this::dueForRunning, counters, configuration,
                permissions);
            reports.also(telemetry.sending());
            telemetry.events().add("AGENT_STARTED", Map.of("version", identity.version(), "camelVersion", context.camelVersion(),
                "java", System.getProperty("java.version", "")));
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
