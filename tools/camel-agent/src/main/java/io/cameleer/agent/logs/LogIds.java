package io.cameleer.agent.logs;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * Says on each thread which exchange, route and processor it is working for, and in the application's own MDC as well. Where the agent
 * is asked before a line is made, that is when the ids go there ({@link #write}): most processors log nothing, and an MDC is dear. They
 * are taken out when the place is left or another one is entered. Other MDCs are kept up to date all the time. A place is left on the
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

        private Map<String, String> ids() {
            if (exchangeId != null && routeId != null && processorId != null) {
                return Map.of(EXCHANGE, exchangeId, ROUTE, routeId, PROCESSOR, processorId);
            }
            Map<String, String> some = new HashMap<>();
            some.put(EXCHANGE, exchangeId);
            some.put(ROUTE, routeId);
            some.put(PROCESSOR, processorId);
            some.values().removeIf(Objects::isNull);
            return some;
        }
    }

    /** Of one thread: where it is, and whether the contexts that are written late say so. */
    public static final class Whereabouts {
        private Place here;
        private boolean written;

        private Whereabouts() {
        }

        public Place here() {
            return here;
        }
    }

    private static final List<String> ALL = List.of(EXCHANGE, ROUTE, PROCESSOR);

    private static final Place NOWHERE = new Place(null, null, null);

    private final ThreadLocal<Whereabouts> threads = ThreadLocal.withInitial(Whereabouts::new);
    private final List<Mdc> always = new CopyOnWriteArrayList<>();
    private final List<Mdc> late = new CopyOnWriteArrayList<>();
    private volatile boolean wanted;

    /** Starts to say it there too, at every change of place. */
    public void add(Mdc mdc) {
        always.add(mdc);
        wanted = true;
    }

    /** Starts to say it there when {@link #write} is called, which the framework's source does before each line. */
    public void addLate(Mdc mdc) {
        late.add(mdc);
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

    /** Of the calling thread, for it alone. */
    public Whereabouts thread() {
        return threads.get();
    }

    /** The thread goes somewhere, or back to where it was before. */
    public void move(Whereabouts thread, Place to) {
        move(thread, thread.here, to);
    }

    /** Where this thread is, or null. */
    public Place here() {
        return threads.get().here;
    }

    /** This thread is about to log a line. */
    public void write() {
        Whereabouts thread = threads.get();
        if (thread.here == null || thread.written) {
            return;
        }
        thread.written = true;
        Map<String, String> ids = thread.here.ids();
        for (Mdc mdc : late) {
            mdc.putAll(ids);
        }
    }

    private void move(Whereabouts thread, Place from, Place to) {
        thread.here = to;
        if (thread.written) {
            thread.written = false;
            for (Mdc mdc : late) {
                mdc.removeAll(ALL);
            }
        }
        if (!always.isEmpty()) {
            change(from == null ? NOWHERE : from, to == null ? NOWHERE : to);
        }
    }

    private void change(Place from, Place to) {
        for (Mdc mdc : always) {
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
