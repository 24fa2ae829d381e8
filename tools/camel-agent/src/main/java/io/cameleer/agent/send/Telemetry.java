package io.cameleer.agent.send;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

import io.cameleer.agent.boot.AgentLog;
import io.cameleer.agent.mask.SensitiveKeys;

/**
 * The agent's third daemon thread: it gathers what has to be asked for from time to time (metrics, route graphs, whether the log
 * appenders are still in place) and sends all that is not an execution. An outage stops the sending, not the gathering.
 */
public final class Telemetry {

    /** What is gathered. Called by the telemetry thread only; what it throws is counted. */
    public interface Gathering {

        /** About twice a second. */
        void tick();

        /** The agent has been registered again: the server may know nothing of what was sent before. */
        void registeredAgain();
    }

    private final Gathering gathering;
    private final List<RecordQueue> queues;
    private final Counters counters;
    private final List<RecordSender> senders = new ArrayList<>();
    private final Object pause = new Object();
    private Session session;
    private Timing timing;
    private CamelState camel;
    private Thread thread;
    private int registrations;
    private boolean woken;
    private volatile boolean ending;

    public Telemetry(Gathering gathering, List<RecordQueue> queues, Counters counters) {
        this.gathering = gathering;
        this.queues = List.copyOf(queues);
        this.counters = counters;
    }

    /** Makes the next round begin now. Never blocks for longer than a moment. */
    public void wake() {
        synchronized (pause) {
            woken = true;
            pause.notifyAll();
        }
    }

    void start(Session with, Timing clockwork, CamelState state, Supplier<SensitiveKeys> keys) {
        session = with;
        timing = clockwork;
        camel = state;
        for (RecordQueue queue : queues) {
            senders.add(new RecordSender(session, queue, counters, keys));
        }
        thread = new Thread(this::loop, "cameleer-telemetry");
        thread.setDaemon(true);
        thread.start();
    }

    /** Lets it send what is left, for that long. */
    void end(long millis) throws InterruptedException {
        ending = true;
        wake();
        if (thread != null) {
            thread.join(Math.max(1, millis));
            thread.interrupt();
        }
    }

    private void loop() {
        Backoff backoff = new Backoff(timing.retryLeast(), timing.retryMost());
        long firstContact = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timing.firstContact());
        long nextTry = System.nanoTime();
        while (true) {
            boolean last = ending;
            gather();
            boolean known = camel.started() || System.nanoTime() - firstContact >= 0;
            if (last || known && System.nanoTime() - nextTry >= 0) {
                try {
                    send(last);
                    backoff.reset();
                } catch (Unavailable e) {
                    // the sending thread says it once for all
                    nextTry = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(backoff.nextMillis(e.retryAfterMillis()));
                } catch (InterruptedException e) {
                    return;
                } catch (Throwable e) {
                    counters.add("agent_error", 1);
                    AgentLog.warn("unexpected while sending telemetry: " + e);
                    nextTry = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(backoff.nextMillis(-1));
                }
            }
            if (last || !sleep(timing.flush())) {
                return;
            }
        }
    }

    private void gather() {
        try {
            int now = session.registrations();
            if (now != registrations) {
                registrations = now;
                if (now > 1) {
                    gathering.registeredAgain();
                }
            }
            gathering.tick();
        } catch (Throwable e) {
            counters.add("agent_error", 1);
        }
    }

    private void send(boolean all) throws Unavailable, InterruptedException {
        boolean more = true;
        while (more) {
            more = false;
            for (RecordSender sender : senders) {
                more |= sender.sendSome() || all && !sender.idle();
            }
        }
    }

    /** False when the thread should end. */
    private boolean sleep(long millis) {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        synchronized (pause) {
            try {
                for (long left = millis; left > 0 && !woken && !ending; left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime())) {
                    pause.wait(left);
                }
                woken = false;
                return true;
            } catch (InterruptedException e) {
                return false;
            }
        }
    }
}
