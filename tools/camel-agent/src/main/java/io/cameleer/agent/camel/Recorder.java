package io.cameleer.agent.camel;

import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;

import org.apache.camel.Exchange;
import org.apache.camel.ExchangePropertyKey;
import org.apache.camel.Message;
import org.apache.camel.Route;
import org.apache.camel.support.SynchronizationAdapter;
import org.apache.camel.util.URISupport;

import io.cameleer.agent.boot.AgentRuntime;
import io.cameleer.agent.mask.UriMasker;
import io.cameleer.agent.model.Execution;
import io.cameleer.agent.model.Ids;
import io.cameleer.agent.model.Payload;
import io.cameleer.agent.model.ProcessorRecord;
import io.cameleer.agent.settings.EngineLevel;
import io.cameleer.agent.settings.RecordingRules;

/** Turns what happens to exchanges into executions and processor records. Its methods never throw: a failure of the agent is counted. */
final class Recorder {

    static final String CORRELATION_HEADER = "X-Cameleer-CorrelationId";
    static final String EXECUTION_HEADER = "X-Cameleer-ExecutionId";
    private static final String BREADCRUMB = "breadcrumbId";
    private static final Pattern ID = Pattern.compile("[A-Za-z0-9._:/-]{1,128}");

    private final AgentRuntime runtime;
    private final PayloadReader payloads;

    Recorder(AgentRuntime runtime) {
        this.runtime = runtime;
        this.payloads = new PayloadReader(runtime.limits());
    }

    void count(Throwable e) {
        runtime.counters().add("agent_error", 1);
    }

    static Frame frameOf(Exchange exchange) {
        return exchange.getProperty(Frame.PROPERTY) instanceof Frame frame ? frame : null;
    }

    // ---- routes

    void routeBegins(Route route, Exchange exchange) {
        try {
            RecordingRules rules = runtime.rules();
            Frame outer = frameOf(exchange);
            String correlation = header(exchange, CORRELATION_HEADER);
            String parent = header(exchange, EXECUTION_HEADER);
            if (outer != null) {
                correlation = outer.execution() == null ? null : outer.execution().correlationId;
                parent = outer.execution() == null ? null : outer.execution().executionId;
            }
            if (rules.level() == EngineLevel.NONE || outer != null && outer.execution() == null || outer == null && !sampled(rules)) {
                exchange.setProperty(Frame.PROPERTY, Frame.UNRECORDED);
                return;
            }
            begin(route.getRouteId(), route.getEndpoint().getEndpointUri(), exchange, correlation, parent, outer, rules);
        } catch (RuntimeException | LinkageError e) {
            count(e);
        }
    }

    private Execution begin(String routeId, String from, Exchange exchange, String correlation, String parent, Frame outer,
                            RecordingRules rules) {
        String id = Ids.next();
        String thread = correlation != null ? correlation : header(exchange, BREADCRUMB);
        Execution execution = new Execution(id, exchange.getExchangeId(), thread == null ? id : thread, parent, routeId,
            from == null ? null : sanitised(from), System.currentTimeMillis(), System.nanoTime(),
            runtime.limits().processors(), runtime.limits().execution());
        if (!runtime.begin(execution)) {
            exchange.setProperty(Frame.PROPERTY, Frame.UNRECORDED);
            return null;
        }
        if (rules.capture().input()) {
            execution.input(payloads.read(exchange.getMessage()));
        }
        boolean alreadyHandled = errorHandlerHandled(exchange);
        // a caller is kept only for its own exchange: a chain through seda has no end
        boolean called = outer != null && outer.execution() != null && outer.execution().exchangeId.equals(execution.exchangeId);
        exchange.setProperty(Frame.PROPERTY, new Frame(execution, null, called ? outer : null, alreadyHandled));
        // the policy is not told of exchanges that end while Camel stops; the unit of work is
        exchange.getExchangeExtension().addOnCompletion(new Ending(this, execution, alreadyHandled));
        return execution;
    }

    void routeEnds(Exchange exchange, Route route) {
        try {
            Frame frame = frameOf(exchange);
            if (frame == null || frame.execution() == null || !frame.execution().routeId.equals(route.getRouteId())) {
                return;
            }
            finish(frame.execution(), exchange, frame.alreadyHandled());
            if (frame.caller() != null) {
                exchange.setProperty(Frame.PROPERTY, frame.caller());
            }
        } catch (RuntimeException | LinkageError e) {
            count(e);
        }
    }

    private void finish(Execution execution, Exchange exchange, boolean alreadyHandled) {
        if (execution.closed()) {
            return;
        }
        Throwable thrown = exchange.getException();
        if (thrown == null && !alreadyHandled && errorHandlerHandled(exchange)) {
            execution.handled(caught(exchange));
        } else if (thrown == null && exchange.isRollbackOnly()) {
            Throwable caught = caught(exchange);
            thrown = caught == null ? new IllegalStateException("marked for rollback") : caught;
        }
        Payload output = runtime.rules().capture().output() ? payloads.read(exchange.getMessage()) : null;
        if (execution.close(thrown, runtime.limits().stackTrace(), output, System.currentTimeMillis(), System.nanoTime())) {
            runtime.ended(execution);
        }
    }

    /** An error handler ended the routing. A doCatch or a continued exception does not: there the route itself went on. */
    private static boolean errorHandlerHandled(Exchange exchange) {
        return exchange.getExchangeExtension().isErrorHandlerHandledSet() && exchange.getExchangeExtension().isErrorHandlerHandled();
    }

    private static Throwable caught(Exchange exchange) {
        return exchange.getProperty(ExchangePropertyKey.EXCEPTION_CAUGHT, Throwable.class);
    }

    private static boolean sampled(RecordingRules rules) {
        return rules.samplingRate() >= 1 || ThreadLocalRandom.current().nextDouble() < rules.samplingRate();
    }

    // ---- processors

    /** @return what {@link #processorEnds} needs, or null when nothing is recorded */
    Visit processorBegins(RecordedProcessor processor, Exchange exchange) {
        try {
            Frame outer = frameOf(exchange);
            RecordingRules rules = runtime.rules();
            if (outer == null || outer.execution() == null || rules.level().compareTo(EngineLevel.REGULAR) < 0) {
                return null;
            }
            Execution execution = outer.execution();
            ProcessorRecord parent = outer.processor();
            if (execution.closed()) {
                // an aggregated or late exchange: its route's execution is over, what follows is one of its own
                execution = begin(execution.routeId, execution.fromEndpoint, exchange, execution.correlationId, execution.executionId,
                    outer, rules);
                parent = null;
            }
            ProcessorRecord record = execution == null ? null
                : execution.open(parent, processor.id(), processor.type(), exchange.getExchangeId(), System.currentTimeMillis(),
                    System.nanoTime());
            if (record == null) {
                return null;
            }
            Iterations.fill(record, exchange);
            record.endpointUri = processor.endpointUri(this);
            if (Boolean.TRUE.equals(exchange.getMessage().getHeader(Exchange.REDELIVERED))) {
                execution.markRedelivery(record);
            }
            if (rules.level() == EngineLevel.COMPLETE && rules.capture().input()) {
                execution.input(record, payloads.read(exchange.getMessage()));
            }
            Frame before = frameOf(exchange);
            exchange.setProperty(Frame.PROPERTY, before.inside(record));
            return new Visit(execution, record, before);
        } catch (RuntimeException | LinkageError e) {
            count(e);
            return null;
        }
    }

    void processorEnds(Visit visit, Exchange exchange) {
        try {
            exchange.setProperty(Frame.PROPERTY, visit.before());
            RecordingRules rules = runtime.rules();
            Throwable thrown = exchange.getException();
            boolean wanted = rules.level() == EngineLevel.COMPLETE || thrown != null;
            Payload output = wanted && rules.capture().output() ? payloads.read(exchange.getMessage()) : null;
            if ("filter".equals(visit.record().processorType)) {
                // Camel 4 no longer notes it on the exchange, but a filter that let it through ran what is inside
                visit.record().filterMatched = visit.record().hasInner;
            }
            visit.execution().close(visit.record(), thrown, runtime.limits().stackTrace(), output, System.nanoTime());
        } catch (RuntimeException | LinkageError e) {
            count(e);
        }
    }

    /** An error handler took the exchange over with the exception it had. */
    void failureHandled(Exchange exchange) {
        Frame frame = frameOf(exchange);
        Throwable thrown = caught(exchange);
        if (frame != null && frame.execution() != null && thrown != null && errorHandlerHandled(exchange)) {
            frame.execution().handled(thrown);
        }
    }

    // ---- sends

    void sending(Exchange exchange, String uri) {
        Frame frame = frameOf(exchange);
        if (frame == null || frame.execution() == null) {
            return;
        }
        ProcessorRecord record = frame.processor();
        if (record != null) {
            String resolved = sanitised(uri);
            if (!resolved.equals(record.endpointUri)) {
                record.resolvedEndpointUri = resolved;
            }
        }
        if (isHttp(uri)) {
            Message message = exchange.getMessage();
            message.setHeader(CORRELATION_HEADER, frame.execution().correlationId);
            message.setHeader(EXECUTION_HEADER, frame.execution().executionId);
        }
    }

    void sent(Exchange exchange, String uri) {
        if (isHttp(uri)) {
            exchange.getMessage().removeHeader(CORRELATION_HEADER);
            exchange.getMessage().removeHeader(EXECUTION_HEADER);
        }
    }

    private static boolean isHttp(String uri) {
        return uri.startsWith("http:") || uri.startsWith("https:") || uri.startsWith("http://") || uri.startsWith("netty-http:")
            || uri.startsWith("vertx-http:") || uri.startsWith("undertow:") || uri.startsWith("rest:");
    }

    String sanitised(String uri) {
        String text = uri;
        try {
            text = URISupport.sanitizeUri(uri);
        } catch (RuntimeException | LinkageError e) {
            // our own masking below does not depend on Camel's
        }
        return UriMasker.mask(text, runtime.rules().sensitiveKeys());
    }

    /** The agent's headers are taken off on arrival, so that the application never sees them; a breadcrumb is the application's and stays. */
    private static String header(Exchange exchange, String name) {
        Object value = exchange.getMessage().getHeader(name);
        if (value != null && !BREADCRUMB.equals(name)) {
            exchange.getMessage().removeHeader(name);
        }
        return value instanceof String text && ID.matcher(text).matches() ? text : null;
    }

    /** One processor's turn. */
    record Visit(Execution execution, ProcessorRecord record, Frame before) {
    }

    /** Ends an execution with its unit of work, unless the route's end was seen before. */
    private static final class Ending extends SynchronizationAdapter {

        private final Recorder recorder;
        private final Execution execution;
        private final boolean alreadyHandled;

        Ending(Recorder recorder, Execution execution, boolean alreadyHandled) {
            this.recorder = recorder;
            this.execution = execution;
            this.alreadyHandled = alreadyHandled;
        }

        @Override
        public boolean allowHandover() {
            return false;
        }

        @Override
        public void onDone(Exchange exchange) {
            try {
                recorder.finish(execution, exchange, alreadyHandled);
            } catch (RuntimeException | LinkageError e) {
                recorder.count(e);
            }
        }
    }
}
