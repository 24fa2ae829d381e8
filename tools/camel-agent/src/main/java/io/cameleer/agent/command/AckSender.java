package io.cameleer.agent.command;

import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import io.cameleer.agent.send.Backoff;
import io.cameleer.agent.send.Counters;
import io.cameleer.agent.send.Timing;
import io.cameleer.agent.send.Unavailable;

/** Brings acknowledgements to the server: each is tried until it is answered or its command has expired. Bounded. */
final class AckSender {

    private static final int MOST = 256;

    private final ServerLink server;
    private final Counters counters;
    private final Timing timing;
    private final ScheduledExecutorService worker;
    private final AtomicInteger waiting = new AtomicInteger();

    AckSender(ServerLink server, Counters counters, Timing timing, ScheduledExecutorService worker) {
        this.server = server;
        this.counters = counters;
        this.timing = timing;
        this.worker = worker;
    }

    void add(Command command, Outcome outcome) {
        if (waiting.incrementAndGet() > MOST) {
            waiting.decrementAndGet();
            counters.add("ack_full", 1);
            return;
        }
        byte[] body = outcome.json();
        Backoff backoff = new Backoff(timing.retryLeast(), Math.min(timing.retryMost(), 5_000));
        later(() -> attempt(command, body, backoff), 0);
    }

    private void later(Runnable attempt, long millis) {
        try {
            worker.schedule(attempt, millis, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            // the JVM ends
            waiting.decrementAndGet();
        }
    }

    private void attempt(Command command, byte[] body, Backoff backoff) {
        long asked = -1;
        try {
            int status = server.acknowledge(command.commandId(), body);
            if (status < 500 && status != 408 && status != 429) {
                waiting.decrementAndGet();
                if (status != 200) {
                    counters.add("ack_refused", 1);
                }
                return;
            }
        } catch (Unavailable e) {
            asked = e.retryAfterMillis();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            waiting.decrementAndGet();
            return;
        } catch (RuntimeException | LinkageError e) {
            counters.add("agent_error", 1);
        }
        long wait = backoff.nextMillis(asked);
        if (server.serverNowMillis() + wait > command.expiresAtMillis()) {
            waiting.decrementAndGet();
            counters.add("ack_expired", 1);
            return;
        }
        later(() -> attempt(command, body, backoff), wait);
    }
}
