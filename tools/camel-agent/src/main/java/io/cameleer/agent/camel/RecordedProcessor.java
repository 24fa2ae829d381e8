package io.cameleer.agent.camel;

import java.util.Set;

import org.apache.camel.AsyncCallback;
import org.apache.camel.Endpoint;
import org.apache.camel.EndpointAware;
import org.apache.camel.Exchange;
import org.apache.camel.NamedNode;
import org.apache.camel.Processor;
import org.apache.camel.support.processor.DelegateAsyncProcessor;

import io.cameleer.agent.logs.LogIds;
import io.cameleer.agent.mask.SensitiveKeys;
import io.cameleer.agent.model.Execution;
import io.cameleer.agent.model.Step;

/** A processor of a route with the recorder around it. It sits inside Camel's error handler, so each attempt of a redelivery is seen. */
final class RecordedProcessor extends DelegateAsyncProcessor {

    private record Known(SensitiveKeys keys, Step step) {
    }

    private static final Set<String> LABELLED =
        Set.of("to", "toD", "wireTap", "enrich", "pollEnrich", "poll", "recipientList", "routingSlip", "dynamicRouter");

    private final Recorder recorder;
    private final LogIds ids;
    private final NamedNode node;
    private final Processor target;
    private volatile Known known;

    RecordedProcessor(Recorder recorder, LogIds ids, NamedNode node, Processor target) {
        super(target);
        this.recorder = recorder;
        this.ids = ids;
        this.node = node;
        this.target = target;
    }

    String id() {
        Known now = known;
        if (now != null) {
            return now.step().id;
        }
        String id = node.getId();
        return id == null ? node.getShortName() : id;
    }

    /** What its records have in common. Other sensitive names may make another of it. */
    Step step() {
        SensitiveKeys keys = recorder.sensitiveKeys();
        Known now = known;
        if (now == null || now.keys() != keys) {
            Endpoint endpoint = target instanceof EndpointAware aware ? aware.getEndpoint() : null;
            String text = endpoint != null ? endpoint.getEndpointUri() : LABELLED.contains(node.getShortName()) ? label() : null;
            now = new Known(keys, new Step(id(), node.getShortName(), text == null || text.isEmpty() ? null : recorder.sanitised(text)));
            known = now;
        }
        return now.step();
    }

    /** Camel writes some as {@code wireTap[seda:audit]}. */
    private String label() {
        String label = node.getLabel();
        String prefix = node.getShortName() + "[";
        return label != null && label.startsWith(prefix) && label.endsWith("]")
            ? label.substring(prefix.length(), label.length() - 1) : label;
    }

    @Override
    public boolean process(Exchange exchange, AsyncCallback callback) {
        Frame outer = Recorder.frameOf(exchange);
        Recorder.Visit visit = recorder.processorBegins(this, exchange, outer, callback);
        AsyncCallback ended = visit == null ? callback : visit;
        if (!ids.wanted()) {
            return super.process(exchange, ended);
        }
        LogIds.Place here = here(exchange, visit != null ? visit.execution() : outer == null ? null : outer.execution());
        LogIds.Whereabouts thread = ids.thread();
        LogIds.Place before = thread.here();
        ids.move(thread, here);
        try {
            return super.process(exchange, ended);
        } finally {
            // also when the work goes on elsewhere: this thread has left it
            ids.move(thread, before);
        }
    }

    /** Of a recorded exchange the id that its execution has, which the branches of a split or multicast share. */
    private LogIds.Place here(Exchange exchange, Execution execution) {
        return execution == null ? new LogIds.Place(exchange.getExchangeId(), exchange.getFromRouteId(), id())
            : new LogIds.Place(execution.exchangeId, execution.routeId, id());
    }
}
