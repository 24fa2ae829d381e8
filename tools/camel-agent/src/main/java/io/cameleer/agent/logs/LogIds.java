package io.cameleer.agent.logs;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * Says on each thread which exchange, route and processor it is working for, in the application's own MDC. A place is left on the
 * thread on which it was entered, so nothing stays behind; what a processor does later on other threads carries no ids.
 */
public final class LogIds {

    public static final String EXCHANGE = "cameleer.exchangeId";
    public static final String ROUTE = "cameleer.routeId";
    public static final String PROCESSOR = "cameleer.processorId";

    /** The diagnostic context of one logging framework. */
    public interface Mdc {
        void put(String key, String value);

        void remove(String key);

        /** For contexts that copy all they have at each change. */
        default void putAll(Map<String, String> values) {
            values.forEach(this::put);
        }

        default void removeAll(List<String> keys) {
            keys.forEach(this::remove);
        }
    }

    /** Where a thread is. */
    public record Place(String exchangeId, String routeId, String processorId) {

        private boolean complete() {
            return exchangeId != null && routeId != null && processorId != null;
        }
    }

    private static final List<String> ALL = List.of(EXCHANGE, ROUTE, PROCESSOR);

    private static final Place NOWHERE = new Place(null, null, null);

    private final ThreadLocal<Place> here = new ThreadLocal<>();
    private final List<Mdc> contexts = new CopyOnWriteArrayList<>();
    private volatile boolean wanted;

    /** Starts to say it there too. */
    public void add(Mdc mdc) {
        contexts.add(mdc);
        wanted = true;
    }

    /** Starts to say it to {@link #here()}, for frameworks that have no context of their own. */
    public void want() {
        wanted = true;
    }

    /** Whether anybody wants to know. */
    public boolean wanted() {
        return wanted;
    }

    /** @return what {@link #leave} needs, on the same thread */
    public Place enter(Place now) {
        Place before = here.get();
        here.set(now);
        change(before == null ? NOWHERE : before, now);
        return before;
    }

    public void leave(Place now, Place before) {
        if (before == null) {
            here.remove();
        } else {
            here.set(before);
        }
        change(now, before == null ? NOWHERE : before);
    }

    /** Where this thread is, or null. */
    public Place here() {
        return here.get();
    }

    private void change(Place from, Place to) {
        for (Mdc mdc : contexts) {
            if (from == NOWHERE && to.complete()) {
                mdc.putAll(Map.of(EXCHANGE, to.exchangeId(), ROUTE, to.routeId(), PROCESSOR, to.processorId()));
                continue;
            }
            if (to == NOWHERE && from.complete()) {
                mdc.removeAll(ALL);
                continue;
            }
            change(mdc, EXCHANGE, from.exchangeId(), to.exchangeId());
            change(mdc, ROUTE, from.routeId(), to.routeId());
            change(mdc, PROCESSOR, from.processorId(), to.processorId());
        }
    }

    private static void change(Mdc mdc, String key, String from, String to) {
        if (to == null) {
            if (from != null) {
                mdc.remove(key);
            }
        } else if (!Objects.equals(from, to)) {
            mdc.put(key, to);
        }
    }
}
