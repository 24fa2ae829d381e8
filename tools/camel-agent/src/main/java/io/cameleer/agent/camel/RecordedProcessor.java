package io.cameleer.agent.camel;

import java.util.Set;

import org.apache.camel.AsyncCallback;
import org.apache.camel.Endpoint;
import org.apache.camel.EndpointAware;
import org.apache.camel.Exchange;
import org.apache.camel.NamedNode;
import org.apache.camel.Processor;
import org.apache.camel.support.processor.DelegateAsyncProcessor;

/** A processor of a route with the recorder around it. It sits inside Camel's error handler, so each attempt of a redelivery is seen. */
final class RecordedProcessor extends DelegateAsyncProcessor {

    private static final Set<String> LABELLED =
        Set.of("to", "toD", "wireTap", "enrich", "pollEnrich", "poll", "recipientList", "routingSlip", "dynamicRouter");

    private final Recorder recorder;
    private final NamedNode node;
    private final Processor target;
    private volatile String endpointUri;

    RecordedProcessor(Recorder recorder, NamedNode node, Processor target) {
        super(target);
        this.recorder = recorder;
        this.node = node;
        this.target = target;
    }

    String id() {
        String id = node.getId();
        return id == null ? node.getShortName() : id;
    }

    String type() {
        return node.getShortName();
    }

    /** Where it sends to as the route says it, or null for what sends nowhere. */
    String endpointUri(Recorder recorder) {
        String uri = endpointUri;
        if (uri == null) {
            Endpoint endpoint = target instanceof EndpointAware aware ? aware.getEndpoint() : null;
            String text = endpoint != null ? endpoint.getEndpointUri() : LABELLED.contains(node.getShortName()) ? label() : null;
            uri = text == null ? "" : recorder.sanitised(text);
            endpointUri = uri;
        }
        return uri.isEmpty() ? null : uri;
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
        Recorder.Visit visit = recorder.processorBegins(this, exchange);
        if (visit == null) {
            return super.process(exchange, callback);
        }
        return super.process(exchange, doneSync -> {
            recorder.processorEnds(visit, exchange);
            callback.done(doneSync);
        });
    }
}
