package io.cameleer.agent.camel;

import org.apache.camel.Exchange;
import org.apache.camel.Route;
import org.apache.camel.support.RoutePolicySupport;

import io.cameleer.agent.metrics.RouteFigures;

/** Counts what passes one route, and hears of its being suspended and resumed, for which Camel has no event. */
final class RouteMeter extends RoutePolicySupport {

    private record Begin(long nanos, boolean alreadyHandled) {
    }

    private final RouteFigures figures;
    private final RouteEvents events;
    private final String property;

    RouteMeter(String routeId, RouteFigures figures, RouteEvents events) {
        this.figures = figures;
        this.events = events;
        this.property = "CameleerBegin." + routeId;
    }

    @Override
    public void onExchangeBegin(Route route, Exchange exchange) {
        exchange.setProperty(property, new Begin(System.nanoTime(), handled(exchange)));
    }

    @Override
    public void onExchangeDone(Route route, Exchange exchange) {
        Begin begin = exchange.removeProperty(property) instanceof Begin known ? known : null;
        boolean failed = exchange.getException() != null || exchange.isRollbackOnly()
            || handled(exchange) && (begin == null || !begin.alreadyHandled());
        figures.passed(begin == null ? -1 : System.nanoTime() - begin.nanos(), failed, route.getRouteId().equals(exchange.getFromRouteId()));
    }

    private static boolean handled(Exchange exchange) {
        return exchange.getExchangeExtension().isErrorHandlerHandledSet() && exchange.getExchangeExtension().isErrorHandlerHandled();
    }

    @Override
    public void onSuspend(Route route) {
        events.became(route.getRouteId(), "Suspended");
    }

    @Override
    public void onResume(Route route) {
        events.became(route.getRouteId(), "Started");
    }
}
