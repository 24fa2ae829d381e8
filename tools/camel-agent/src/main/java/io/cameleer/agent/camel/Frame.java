package io.cameleer.agent.camel;

import io.cameleer.agent.model.Execution;
import io.cameleer.agent.model.ProcessorRecord;

/**
 * Where an exchange is: in which execution, and inside which processor. Kept as one property of the exchange, so Camel itself carries it
 * to the copies it makes for splits, multicasts, wire taps and seda. Immutable, so the copies never disturb each other.
 *
 * @param execution null when this exchange is not recorded, and neither is what follows from it
 * @param processor null directly on the route
 * @param caller on a route's own frame: where the same exchange was when it entered the route; else null
 * @param alreadyHandled the exchange had been through an error handler before it entered the route
 */
record Frame(Execution execution, ProcessorRecord processor, Frame caller, boolean alreadyHandled) {

    static final String PROPERTY = "CameleerFrame";
    static final Frame UNRECORDED = new Frame(null, null, null, false);

    Frame inside(ProcessorRecord record) {
        return new Frame(execution, record, null, alreadyHandled);
    }
}
