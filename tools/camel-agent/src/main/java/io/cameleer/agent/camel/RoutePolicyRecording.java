package io.cameleer.agent.camel;

import org.apache.camel.Exchange;
import org.apache.camel.Route;
import org.apache.camel.support.RoutePolicySupport;

/** Sees an exchange enter and leave a route, whether a consumer brought it or another route called. */
final class RoutePolicyRecording extends RoutePolicySupport {

    private final Recorder recorder;

    RoutePolicyRecording(Recorder recorder) {
        this.recorder = recorder;
    }

    @Override
    public void onExchangeBegin(Route route, Exchange exchange) {
        recorder.routeBegins(route, exchange);
    }

    @Override
    public void onExchangeDone(Route route, Exchange exchange) {
        recorder.routeEnds(exchange, route);
    }
}
