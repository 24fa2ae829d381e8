package io.cameleer.agent.camel;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.Expression;

import io.cameleer.agent.boot.AgentRuntime;
import io.cameleer.agent.config.Recording;
import io.cameleer.agent.config.Tap;
import io.cameleer.agent.model.Execution;
import io.cameleer.agent.model.ProcessorRecord;

/** Evaluates taps. One that fails is counted and leaves no attribute; one that is slow thrice is not asked again. Nothing reaches the exchange. */
final class Taps {

    private static final int MOST_COMPILED = 400;
    private static final int VALUE_LIMIT = 1_000;
    private static final int SLOW_TIMES = 3;
    private static final long TOO_SLOW_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** @param expression null when the tap is of no use */
    private record Compiled(Expression expression, AtomicInteger slow) {
    }

    private final AgentRuntime runtime;
    private final Map<Tap, Compiled> compiled = new ConcurrentHashMap<>();

    Taps(AgentRuntime runtime) {
        this.runtime = runtime;
    }

    void take(Recording recording, boolean before, Exchange exchange, Execution execution, ProcessorRecord record) {
        Exchange copy = null;
        for (Tap tap : recording.taps(record.processorId)) {
            if (tap.before() != before) {
                continue;
            }
            try {
                Compiled ready = compiled(tap, exchange.getContext());
                if (ready.expression() == null || ready.slow().get() >= SLOW_TIMES) {
                    runtime.counters().add("tap_failed", 1);
                    continue;
                }
                long start = System.nanoTime();
                copy = copy != null ? copy : ReadableCopy.of(exchange, recording.config().rules().sensitiveKeys());
                String value = ready.expression().evaluate(copy, String.class);
                if (System.nanoTime() - start > TOO_SLOW_NANOS) {
                    ready.slow().incrementAndGet();
                }
                if (value != null) {
                    execution.tapped(record, tap.attribute(), cut(runtime.withoutSecret(value)));
                }
            } catch (Throwable e) {
                runtime.counters().add("tap_failed", 1);
                // it may have half changed its copy
                copy = null;
            }
        }
    }

    private Compiled compiled(Tap tap, CamelContext context) {
        Compiled known = compiled.get(tap);
        if (known == null) {
            if (compiled.size() >= MOST_COMPILED) {
                compiled.clear();
            }
            known = new Compiled(null, new AtomicInteger());
            try {
                Expression expression = context.resolveLanguage(tap.language()).createExpression(tap.expression());
                expression.init(context);
                known = new Compiled(expression, new AtomicInteger());
            } finally {
                compiled.put(tap, known);
            }
        }
        return known;
    }

    private static String cut(String text) {
        if (text.length() <= VALUE_LIMIT) {
            return text;
        }
        return text.substring(0, Character.isHighSurrogate(text.charAt(VALUE_LIMIT - 1)) ? VALUE_LIMIT - 1 : VALUE_LIMIT);
    }
}
