package io.cameleer.agent.camel;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;

import org.apache.camel.Exchange;
import org.apache.camel.ExchangePropertyKey;

import io.cameleer.agent.boot.AgentRuntime;
import io.cameleer.agent.command.CamelControl;
import io.cameleer.agent.config.LiveConfig;
import io.cameleer.agent.mask.BodyMasker;
import io.cameleer.agent.mask.SensitiveKeys;
import io.cameleer.agent.model.Execution;
import io.cameleer.agent.model.Failure;
import io.cameleer.agent.model.Payload;
import io.cameleer.agent.model.Status;

/** One exchange going through a route again, and what came of it; masked like everything that leaves the JVM. */
final class RouteReplay implements CamelControl.Replaying {

    private final AgentRuntime runtime;
    private final Replay replay;
    private final Exchange exchange;
    private final Callable<Void> run;
    private volatile Map<String, Object> outcome;

    RouteReplay(AgentRuntime runtime, Replay replay, Exchange exchange, Callable<Void> run) {
        this.runtime = runtime;
        this.replay = replay;
        this.exchange = exchange;
        this.run = run;
    }

    @Override
    public void run() {
        LiveConfig config = runtime.config();
        long start = System.nanoTime();
        try {
            run.call();
        } catch (Exception | LinkageError e) {
            exchange.setException(e);
        }
        outcome = ended(config, TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start));
    }

    @Override
    public Map<String, Object> data() {
        Map<String, Object> known = outcome;
        if (known != null) {
            return known;
        }
        Map<String, Object> running = identity();
        running.put("status", Status.RUNNING.name());
        return running;
    }

    private Map<String, Object> identity() {
        Map<String, Object> data = new LinkedHashMap<>();
        Execution execution = replay.execution();
        if (execution != null) {
            data.put("executionId", execution.executionId);
        }
        data.put("exchangeId", exchange.getExchangeId());
        return data;
    }

    private Map<String, Object> ended(LiveConfig config, long millis) {
        Map<String, Object> data = identity();
        Execution execution = replay.execution();
        boolean closed = execution != null && execution.closed();
        Status status = closed ? execution.status() : exchange.isFailed() ? Status.FAILED : Status.COMPLETED;
        data.put("status", status.name());
        data.put("durationMs", millis);
        if (status == Status.FAILED) {
            Throwable thrown = exchange.getException() != null ? exchange.getException()
                : exchange.getProperty(ExchangePropertyKey.EXCEPTION_CAUGHT, Throwable.class);
            data.put("errorMessage", thrown == null ? "failed" : runtime.withoutSecret(Failure.messageOf(thrown)));
        }
        if (config.rules().capture().output()) {
            data.put("output", output(config.rules().sensitiveKeys()));
        }
        return data;
    }

    private Map<String, Object> output(SensitiveKeys keys) {
        Payload payload = new PayloadReader(runtime.limits()).read(exchange.getMessage());
        Map<String, Object> headers = new TreeMap<>();
        payload.headers().forEach((name, value) -> headers.put(name, keys.matches(name) ? SensitiveKeys.MASK : BodyMasker.mask(value, keys)));
        Map<String, Object> output = new LinkedHashMap<>();
        output.put("body", payload.body() == null ? null : BodyMasker.mask(payload.body(), keys));
        output.put("headers", headers);
        return output;
    }
}
