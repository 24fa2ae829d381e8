package io.cameleer.agent.camel;

import io.cameleer.agent.config.Recording;
import io.cameleer.agent.model.Execution;
import io.cameleer.agent.model.ProcessorRecord;

/**
 * Where an exchange is: in which execution, and inside which processor. Kept as one property of the exchange, so Camel itself carries it
 * to the copies it makes for splits, multicasts, wire taps and seda. Immutable, so the copies never disturb each other.
 *
 * @param execution null when this exchange is not recorded; then neither is what follows from it, unless there is a passage
 * @param processor null directly on the route
 * @param caller on a route's own frame: where the same exchange was when it entered the route; else null
 * @param alreadyHandled the exchange had been through an error handler before it entered the route
 * @param recording the rules of the execution; null without one
 * @param passage the exchange is in a route that is left out, and what follows from it is recorded; else null
 */
record Frame(Execution execution, ProcessorRecord processor, Frame caller, boolean alreadyHandled, Recording recording, Passage passage) {

    /** What a route that is left out hands on to the routes it calls. */
    record Passage(String routeId, String exchangeId, String correlationId, String parentExecutionId) {
    }

    static final String PROPERTY = "CameleerFrame";
    static final Frame UNRECORDED = new Frame(null, null, null, false, null, null);

    Frame inside(ProcessorRecord record) {
        return new Frame(execution, record, null, alreadyHandled, recording, null);
    }

    /** This frame as the caller of a route that the exchange enters. A caller is kept only for its own exchange: a chain through seda has no end. */
    Frame asCallerOf(String exchangeId) {
        if (execution != null) {
            return execution.exchangeId.equals(exchangeId) ? this : null;
        }
        if (passage == null || passage.exchangeId().equals(exchangeId)) {
            return this;
        }
        return new Frame(null, null, null, alreadyHandled, null, passage);
    }
}
