package io.cameleer.agent.camel;

import org.apache.camel.spi.CamelEvent;
import org.apache.camel.support.EventNotifierSupport;

/** Hears of routes that come, go, start and stop. */
final class RouteEvents extends EventNotifierSupport {

    /** What becomes of the routes. Called on the threads that change them. */
    interface Listener {
        void added(String routeId);

        void became(String routeId, String state);

        void removed(String routeId);

        void failed(Throwable e);
    }

    private final Listener listener;

    RouteEvents(Listener listener) {
        this.listener = listener;
        setIgnoreCamelContextEvents(true);
        setIgnoreExchangeEvents(true);
        setIgnoreServiceEvents(true);
        setIgnoreStepEvents(true);
    }

    void became(String routeId, String state) {
        try {
            listener.became(routeId, state);
        } catch (RuntimeException | LinkageError e) {
            listener.failed(e);
        }
    }

    @Override
    public boolean isEnabled(CamelEvent event) {
        return event instanceof CamelEvent.RouteEvent;
    }

    @Override
    public void notify(CamelEvent event) {
        try {
            if (event instanceof CamelEvent.RouteAddedEvent added) {
                listener.added(added.getRoute().getRouteId());
            } else if (event instanceof CamelEvent.RouteStartedEvent started) {
                listener.became(started.getRoute().getRouteId(), "Started");
            } else if (event instanceof CamelEvent.RouteStoppedEvent stopped) {
                listener.became(stopped.getRoute().getRouteId(), "Stopped");
            } else if (event instanceof CamelEvent.RouteRemovedEvent removed) {
                listener.removed(removed.getRoute().getRouteId());
            }
        } catch (RuntimeException | LinkageError e) {
            listener.failed(e);
        }
    }
}
