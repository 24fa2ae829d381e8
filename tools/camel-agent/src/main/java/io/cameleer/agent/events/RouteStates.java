package io.cameleer.agent.events;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/** The routes' states as their events tell them, so that each change is reported once, with what it changed from. */
public final class RouteStates {

    private static final int MOST = 10_000;

    private final AgentEvents events;
    private final Map<String, String> states = new HashMap<>();

    public RouteStates(AgentEvents events) {
        this.events = events;
    }

    /**
     * Takes over what a route has become.
     *
     * @param state {@code Started}, {@code Stopped}, {@code Suspended} or {@code Removed}
     * @param tell false while a context starts: that its routes start is no news
     * @return true when it was another before
     */
    public synchronized boolean changed(String routeId, String state, boolean tell) {
        String before = states.get(routeId);
        if (state.equals(before) || states.size() >= MOST && before == null) {
            return false;
        }
        if ("Removed".equals(state)) {
            states.remove(routeId);
        } else {
            states.put(routeId, state);
        }
        if (tell) {
            Map<String, Object> detail = new LinkedHashMap<>();
            detail.put("routeId", routeId);
            detail.put("from", before);
            detail.put("to", state);
            events.add("ROUTE_STATE_CHANGED", detail);
        }
        return true;
    }
}
