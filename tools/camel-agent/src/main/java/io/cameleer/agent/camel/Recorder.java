package io.cameleer.agent.camel;

import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;

import org.apache.camel.AsyncCallback;
import org.apache.camel.Exchange;
import org.apache.camel.ExchangePropertyKey;
import org.apache.camel.Message;
import org.apache.camel.Route;
import org.apache.camel.support.SynchronizationAdapter;
import org.apache.camel.util.URISupport;

import io.cameleer.agent.boot.AgentRuntime;
import io.cameleer.agent.config.LiveConfig;
import io.cameleer.agent.config.Recording;
import io.cameleer.agent.mask.MaskedUris;
import io.cameleer.agent.mask.SensitiveKeys;
import io.cameleer.agent.model.Execution;
import io.cameleer.agent.model.Ids;
import io.cameleer.agent.model.Payload;
import io.cameleer.agent.model.ProcessorRecord;
import io.cameleer.agent.model.Status;
import io.cameleer.agent.settings.EngineLevel;

/** Turns what happens to exchanges into executions and processor records. Its methods never throw: a failure of the agent is counted. */
final class Recorder {

    static final String CORRELATION_HEADER = "X-Cameleer-CorrelationId";
    static final String EXECUTION_HEADER = "X-Cameleer-ExecutionId";
    private static final String BREADCRUMB = "breadcrumbId";
    private static final Pattern ID = Pattern.compile("[A-Za-z0-9._:/-]{1,128}");

    private final AgentRuntime runtime;
    private final PayloadReader payloads;
    private final Taps taps;
    private final MaskedUris uris = new MaskedUris(Recorder::sanitisedByCamel);

    Recorder(AgentRuntime runtime) {
        this.runtime = runtime;
        this.taps = new Taps(runtime);
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
            Frame outer = frameOf(exchange);
            String correlation;
            String parent;
            if (outer == null) {
                correlation = header(exchange, CORRELATION_HEADER);
                parent = header(exchange, EXECUTION_HEADER);
            } else {
                correlation = outer.execution() != null ? outer.execution().correlationId
                    : outer.passage() != null ? outer.passage().correlationId() : null;
                parent = outer.execution() != null ? outer.execution().executionId
                    : outer.passage() != null ? outer.passage().parentExecutionId() : null;
            }
            correlation = correlation != null ? correlation : header(exchange, BREADCRUMB);
            Replay replay = exchange.removeProperty(Replay.PROPERTY) instanceof Replay asked ? asked : null;
            Recording recording = replay != null ? Recording.replay(runtime.config()) : recordingOf(route.getRouteId(), correlation);
            boolean story = outer == null || outer.execution() != null || outer.passage() != null;
            boolean off = recording.level() == EngineLevel.NONE;
            if (!recording.forced() && (!story || outer == null && (off || !sampled(recording)))) {
                exchange.setProperty(Frame.PROPERTY, Frame.UNRECORDED);
            } else if (!recording.forced() && (off || Boolean.FALSE.equals(recording.config().routeRecording().get(route.getRouteId())))) {
                Frame.Passage passage = new Frame.Passage(route.getRouteId(), exchange.getExchangeId(),
                    correlation == null ? Ids.next() : correlation, parent);
                Frame caller = outer == null ? null : outer.asCallerOf(exchange.getExchangeId());
                exchange.setProperty(Frame.PROPERTY, new Frame(null, null, caller, false, null, passage));
            } else {
                begin(route.getRouteId(), route.getEndpoint().getEndpointUri(), exchange, correlation, parent, outer, recording, replay);
            }
        } catch (RuntimeException | LinkageError e) {
            count(e);
        }
    }

    private Recording recordingOf(String routeId, String correlation) {
        LiveConfig config = runtime.config();
        return runtime.configuration().deepTraced(routeId, correlation) ? Recording.deep(config) : Recording.of(config);
    }

    private Execution begin(String routeId, String from, Exchange exchange, String correlation, String parent, Frame outer,
                            Recording recording, Replay replay) {
        String id = Ids.next();
        Execution execution = new Execution(id, exchange.getExchangeId(), correlation == null ? id : correlation, parent, routeId,
            from == null ? null : sanitised(from), System.currentTimeMillis(), System.nanoTime(),
            runtime.limits().processors(), runtime.limits().execution());
        execution.replayOf = replay == null ? null : replay.originalExecutionId;
        execution.engineLevel = recording.level().name();
        execution.diagramHash = runtime.diagramHashes().get(routeId);
        if (!runtime.begin(execution)) {
            exchange.setProperty(Frame.PROPERTY, Frame.UNRECORDED);
            return null;
        }
        if (replay != null) {
            replay.became(execution);
        }
        if (recording.capture().input()) {
            execution.input(payloads.read(exchange.getMessage()));
        }
        Frame frame = new Frame(execution, null, outer == null ? null : outer.asCallerOf(execution.exchangeId),
            errorHandlerHandled(exchange), recording, null);
        exchange.setProperty(Frame.PROPERTY, frame);
        // the policy is not told of exchanges that end while Camel stops; the unit of work is
        exchange.getExchangeExtension().addOnCompletion(new Ending(this, frame));
        return execution;
    }

    void routeEnds(Exchange exchange, Route route) {
        try {
            Frame frame = frameOf(exchange);
            String ending = frame == null ? null : frame.execution() != null ? frame.execution().routeId
                : frame.passage() != null ? frame.passage().routeId() : null;
            if (ending == null || !ending.equals(route.getRouteId())) {
                return;
            }
            finish(frame, exchange);
            if (frame.caller() != null) {
                exchange.setProperty(Frame.PROPERTY, frame.caller());
            }
        } catch (RuntimeException | LinkageError e) {
            count(e);
        }
    }

    private void finish(Frame frame, Exchange exchange) {
        Execution execution = frame.execution();
        if (execution == null || execution.closed()) {
            return;
        }
        Throwable thrown = exchange.getException();
        if (thrown == null && !frame.alreadyHandled() && errorHandlerHandled(exchange)) {
            execution.handled(caught(exchange));
        } else if (thrown == null && exchange.isRollbackOnly()) {
            Throwable caught = caught(exchange);
            thrown = caught == null ? new IllegalStateException("marked for rollback") : caught;
        }
        Recording recording = frame.recording();
        Payload output = recording.capture().output() ? payloads.read(exchange.getMessage()) : null;
        if (execution.close(thrown, runtime.limits().stackTrace(), output, System.currentTimeMillis(), System.nanoTime())) {
            if (recording.compress() && execution.status() == Status.COMPLETED) {
                execution.leavePayloadOut(recording.config().traced()::containsKey);
            }
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

    private static boolean sampled(Recording recording) {
        double rate = recording.config().rules().samplingRate();
        return rate >= 1 || ThreadLocalRandom.current().nextDouble() < rate;
    }

    // ---- processors

    /**
     * @param outer where the exchange is, or null
     * @return what Camel has to call in place of the callback, or null when nothing is recorded
     */
    Visit processorBegins(RecordedProcessor processor, Exchange exchange, Frame outer, AsyncCallback callback) {
        try {
            if (outer == null || outer.execution() == null || !outer.recording().records(processor.id())) {
                return null;
            }
            Frame before = outer;
            Recording recording = outer.recording();
            Execution execution = outer.execution();
            ProcessorRecord parent = outer.processor();
            if (execution.closed()) {
                // an aggregated or late exchange: its route's execution is over, what follows is one of its own
                recording = recordingOf(execution.routeId, execution.correlationId);
                execution = recording.level() == EngineLevel.NONE ? null : begin(execution.routeId, execution.fromEndpoint, exchange,
                    execution.correlationId, execution.executionId, outer, recording, null);
                parent = null;
                before = frameOf(exchange);
            }
            ProcessorRecord record = execution == null ? null
                : execution.open(parent, processor.step(), exchange.getExchangeId(), System.nanoTime());
            if (record == null) {
                return null;
            }
            Iterations.fill(record, exchange);
            if (execution.attemptFailed() && Boolean.TRUE.equals(exchange.getMessage().getHeader(Exchange.REDELIVERED))) {
                execution.markRedelivery(record);
            }
            if (recording.captureOf(record.processorId).input()) {
                execution.input(record, payloads.read(exchange.getMessage()));
            }
            taps.take(recording, true, exchange, execution, record);
            exchange.setProperty(Frame.PROPERTY, before.inside(record));
            return new Visit(this, exchange, callback, execution, record, recording, before);
        } catch (RuntimeException | LinkageError e) {
            count(e);
            return null;
        }
    }

    private void processorEnds(Visit visit) {
        try {
            Exchange exchange = visit.exchange;
            ProcessorRecord record = visit.record;
            exchange.setProperty(Frame.PROPERTY, visit.before);
            Recording recording = visit.recording;
            Throwable thrown = exchange.getException();
            boolean wanted = recording.captureOf(record.processorId).output() || thrown != null && recording.capture().output();
            if (thrown == null) {
                taps.take(recording, false, exchange, visit.execution, record);
            }
            Payload output = wanted ? payloads.read(exchange.getMessage()) : null;
            if ("filter".equals(record.processorType)) {
                // Camel 4 no longer notes it on the exchange, but a filter that let it through ran what is inside
                record.filterMatched = record.hasInner;
            }
            visit.execution.close(record, thrown, runtime.limits().stackTrace(), output, System.nanoTime());
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
        if (frame == null || frame.execution() == null && frame.passage() == null) {
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
            Frame.Passage passage = frame.passage();
            message.setHeader(CORRELATION_HEADER, passage != null ? passage.correlationId() : frame.execution().correlationId);
            String parent = passage != null ? passage.parentExecutionId() : frame.execution().executionId;
            if (parent != null) {
                message.setHeader(EXECUTION_HEADER, parent);
            }
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
        return uris.mask(uri, sensitiveKeys());
    }

    private static String sanitisedByCamel(String uri) {
        try {
            return URISupport.sanitizeUri(uri);
        } catch (RuntimeException | LinkageError e) {
            // our own masking does not depend on Camel's
            return uri;
        }
    }

    SensitiveKeys sensitiveKeys() {
        return runtime.rules().sensitiveKeys();
    }

    /** The agent's headers are taken off on arrival, so that the application never sees them; a breadcrumb is the application's and stays. */
    private static String header(Exchange exchange, String name) {
        if (!exchange.getMessage().hasHeaders()) {
            return null;
        }
        Object value = exchange.getMessage().getHeader(name);
        if (value != null && !BREADCRUMB.equals(name)) {
            exchange.getMessage().removeHeader(name);
        }
        return value instanceof String text && ID.matcher(text).matches() ? text : null;
    }

    /** One processor's turn: Camel's callback passes through it. */
    static final class Visit implements AsyncCallback {

        private final Recorder recorder;
        private final Exchange exchange;
        private final AsyncCallback callback;
        private final Execution execution;
        private final ProcessorRecord record;
        private final Recording recording;
        private final Frame before;

        private Visit(Recorder recorder, Exchange exchange, AsyncCallback callback, Execution execution, ProcessorRecord record,
                      Recording recording, Frame before) {
            this.recorder = recorder;
            this.exchange = exchange;
            this.callback = callback;
            this.execution = execution;
            this.record = record;
            this.recording = recording;
            this.before = before;
        }

        Execution execution() {
            return execution;
        }

        @Override
        public void done(boolean doneSync) {
            recorder.processorEnds(this);
            callback.done(doneSync);
        }
    }

    /** Ends an execution with its unit of work, unless the route's end was seen before. */
    private static final class Ending extends SynchronizationAdapter {

        private final Recorder recorder;
        private final Frame frame;

        Ending(Recorder recorder, Frame frame) {
            this.recorder = recorder;
            this.frame = frame;
        }

        @Override
        public boolean allowHandover() {
            return false;
        }

        @Override
        public void onDone(Exchange exchange) {
            try {
                recorder.finish(frame, exchange);
            } catch (RuntimeException | LinkageError e) {
                recorder.count(e);
            }
        }
    }
}
