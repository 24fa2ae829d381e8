package io.cameleer.agent.command;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.function.Supplier;

import io.cameleer.agent.command.CamelControl.Refused;
import io.cameleer.agent.config.Configuration;
import io.cameleer.agent.json.JsonText;
import io.cameleer.agent.model.Failure;
import io.cameleer.agent.settings.Permissions;

/**
 * Carries commands out on threads of its own, and tells how each ended. What changes the agent or its routes runs one after the other, in
 * the order it came; replays and expressions, which run the application's code, run beside it, few at a time, and nobody waits for one
 * that takes too long.
 */
final class CommandExecutor {

    private static final int WAITING = 100;
    private static final int BESIDE = 4;
    private static final int BESIDE_WAITING = 16;
    private static final long KEEP_THREADS_SECONDS = 10;
    private static final int MOST_SECONDS = 3_600;
    private static final int DEFAULT_SECONDS = 300;
    private static final Set<String> ACTIONS = Set.of("start", "stop", "suspend", "resume");

    private final Supplier<List<CamelControl>> contexts;
    private final Configuration configuration;
    private final Permissions permissions;
    private final Runnable routesChanged;
    private final BiConsumer<Command, Outcome> done;
    private final long mostMillis;
    private final ThreadPoolExecutor inOrder = pool("cameleer-command", 1, WAITING);
    private final ThreadPoolExecutor beside = pool("cameleer-replay", BESIDE, BESIDE_WAITING);

    /**
     * @param done called once for each command, from any thread
     * @param mostMillis how long a replay or an expression is waited for
     */
    CommandExecutor(Supplier<List<CamelControl>> contexts, Configuration configuration, Permissions permissions, Runnable routesChanged,
                    BiConsumer<Command, Outcome> done, long mostMillis) {
        this.contexts = contexts;
        this.configuration = configuration;
        this.permissions = permissions;
        this.routesChanged = routesChanged;
        this.done = done;
        this.mostMillis = mostMillis;
    }

    void accept(Command command) {
        try {
            switch (command.type()) {
                case "config-update" -> inOrder(command, this::configUpdate);
                case "deep-trace" -> inOrder(command, this::deepTrace);
                case "set-traced-processors" -> inOrder(command, this::traceProcessors);
                case "route-control" -> inOrder(command, this::routeControl);
                case "replay" -> replay(command);
                case "test-expression" -> testExpression(command);
                default -> done.accept(command, Outcome.failure("this agent does not know the command " + command.type()));
            }
        } catch (RejectedExecutionException e) {
            done.accept(command, Outcome.failure("the agent is busy with other commands"));
        } catch (Exception | LinkageError e) {
            done.accept(command, outcomeOf(e));
        }
    }

    /** Runs on the thread of the commands that run in order. */
    void inOrder(Runnable task) {
        inOrder.execute(task);
    }

    void end() {
        inOrder.shutdownNow();
        beside.shutdownNow();
    }

    private interface Handler {
        Outcome handle(Map<String, Object> body) throws Exception;
    }

    private void inOrder(Command command, Handler handler) {
        inOrder.execute(() -> {
            Outcome outcome;
            try {
                outcome = handler.handle(command.body());
            } catch (Throwable e) {
                outcome = outcomeOf(e);
            }
            done.accept(command, outcome);
        });
    }

    private Outcome configUpdate(Map<String, Object> body) {
        Map<String, Object> config = JsonText.child(body, "config");
        if (config.isEmpty()) {
            return Outcome.failure("the command carries no configuration");
        }
        boolean taken = configuration.offer(config);
        long version = configuration.live().version();
        return Outcome.success(taken ? "version " + version + " is in use" : "version " + version + " was in use already",
            Map.of("version", version));
    }

    private Outcome deepTrace(Map<String, Object> body) throws Refused {
        String route = JsonText.string(body, "routeId", null);
        long seconds = JsonText.number(body, "durationSeconds", DEFAULT_SECONDS);
        if (seconds < 1 || seconds > MOST_SECONDS) {
            throw new Refused("durationSeconds must be from 1 to " + MOST_SECONDS);
        }
        if (route != null) {
            contextOf(route);
        }
        if (!configuration.deepTrace(route, JsonText.string(body, "correlationId", null), seconds)) {
            throw new Refused("too many deep traces are running");
        }
        return Outcome.success(null, Map.of("durationSeconds", seconds));
    }

    private Outcome traceProcessors(Map<String, Object> body) throws Refused {
        if (!(body.get("processors") instanceof Map<?, ?> processors)) {
            throw new Refused("processors must be an object");
        }
        return Outcome.success(null, Map.of("processors", configuration.trace(processors)));
    }

    private Outcome routeControl(Map<String, Object> body) throws Exception {
        String route = JsonText.string(body, "routeId", "");
        String action = JsonText.string(body, "action", "");
        if (!permissions.routeControl()) {
            throw new Refused("route control is switched off in this agent");
        }
        if (!ACTIONS.contains(action)) {
            throw new Refused("action must be start, stop, suspend or resume");
        }
        try {
            String state = contextOf(route).control(route, action);
            Map<String, Object> data = new LinkedHashMap<>();
            data.put("routeId", route);
            data.put("state", state);
            return Outcome.success(null, data);
        } finally {
            routesChanged.run();
        }
    }

    private void replay(Command command) throws Exception {
        Map<String, Object> body = command.body();
        Map<String, Object> exchange = JsonText.child(body, "exchange");
        String route = JsonText.string(body, "routeId", "");
        if (!permissions.replay()) {
            throw new Refused("replay is switched off in this agent");
        }
        CamelControl context = contextOf(route);
        String original = JsonText.string(body, "originalExecutionId", null);
        CamelControl.Replaying replaying = context.replay(route, JsonText.string(exchange, "body", null), headers(exchange), original);
        beside(command, () -> {
            replaying.run();
            return Outcome.success(null, replaying.data());
        }, () -> Outcome.success("the replay is still running", replaying.data()));
    }

    private void testExpression(Command command) throws Exception {
        Map<String, Object> body = command.body();
        String language = JsonText.string(body, "language", "");
        String expression = JsonText.string(body, "expression", "");
        List<CamelControl> all = contexts.get();
        CamelControl context = all.stream().filter(CamelControl::started).findFirst()
            .orElseThrow(() -> new Refused("no Camel context has started"));
        beside(command, () -> {
            CamelControl.Evaluated result = context.evaluate(language, expression, JsonText.string(body, "body", null), headers(body));
            Map<String, Object> data = new HashMap<>();
            data.put("result", result.value());
            data.put("resultType", result.type());
            return Outcome.success(null, data);
        }, () -> Outcome.failure("the expression gave no result within " + mostMillis / 1_000 + " s"));
    }

    private interface Work {
        Outcome run() throws Exception;
    }

    private void beside(Command command, Work work, Supplier<Outcome> late) {
        CompletableFuture<Outcome> future = new CompletableFuture<>();
        beside.execute(() -> {
            try {
                future.complete(work.run());
            } catch (Throwable e) {
                future.complete(outcomeOf(e));
            }
        });
        future.orTimeout(mostMillis, TimeUnit.MILLISECONDS)
            .exceptionally(e -> e instanceof TimeoutException ? late.get() : outcomeOf(e))
            .thenAccept(outcome -> done.accept(command, outcome));
    }

    private CamelControl contextOf(String routeId) throws Refused {
        for (CamelControl context : contexts.get()) {
            if (context.hasRoute(routeId)) {
                return context;
            }
        }
        throw new Refused("there is no route " + routeId);
    }

    private static Map<String, String> headers(Map<String, Object> object) {
        Map<String, String> headers = new LinkedHashMap<>();
        JsonText.child(object, "headers").forEach((name, value) -> {
            if (value != null) {
                headers.put(name, String.valueOf(value));
            }
        });
        return headers;
    }

    private static Outcome outcomeOf(Throwable e) {
        return Outcome.failure(e instanceof Refused ? e.getMessage() : Failure.messageOf(e));
    }

    private static ThreadPoolExecutor pool(String name, int threads, int waiting) {
        AtomicInteger number = new AtomicInteger();
        ThreadPoolExecutor pool = new ThreadPoolExecutor(threads, threads, KEEP_THREADS_SECONDS, TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(waiting), task -> {
                Thread thread = new Thread(task, threads == 1 ? name : name + "-" + number.incrementAndGet());
                thread.setDaemon(true);
                return thread;
            });
        pool.allowCoreThreadTimeOut(true);
        return pool;
    }
}
