package io.cameleer.agent.send;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

import io.cameleer.agent.boot.AgentLog;
import io.cameleer.agent.json.JsonText;
import io.cameleer.agent.mask.SensitiveKeys;
import io.cameleer.agent.model.Execution;
import io.cameleer.agent.send.ServerConnection.Answer;

/** Brings executions to the server in batches: what is accepted is done, what is refused is counted, what failed is tried again under the same key. */
final class ExecutionSender {

    private static final String PATH = "/api/v1/data/executions";
    /** Few requests, for each costs the application as much as writing a few hundred executions. */
    private static final int BATCH = 4_000;
    private static final int BATCH_BYTES = 2 << 20;
    private static final int LEAST_BYTES = 256 << 10;
    private static final int TAKE = 500;
    private static final int TAKE_BYTES = 1 << 20;

    private final Session session;
    private final ExecutionQueue queue;
    private final Counters counters;
    private final Supplier<SensitiveKeys> keys;
    private final ExecutionBatch gathered = new ExecutionBatch();
    private final ArrayList<ExecutionBatch> pending = new ArrayList<>();
    private long gatheredSince;
    /** Smaller once somebody on the way found a request too large. */
    private int mostBytes = BATCH_BYTES;

    ExecutionSender(Session session, ExecutionQueue queue, Counters counters, Supplier<SensitiveKeys> keys) {
        this.session = session;
        this.queue = queue;
        this.counters = counters;
        this.keys = keys;
    }

    /**
     * Writes down what waits, until a request is full or nothing waits. What a request before left to be tried again comes first: until
     * it is through, nothing is taken.
     *
     * @param waitMillis for the first, when nothing is written down yet
     */
    void gather(long waitMillis) throws InterruptedException {
        long wait = gathered.count() == 0 ? waitMillis : 0;
        while (pending.isEmpty() && !full()) {
            List<Execution> taken = queue.take(Math.min(TAKE, BATCH - gathered.count()), TAKE_BYTES, wait);
            if (taken.isEmpty()) {
                return;
            }
            wait = 0;
            write(taken);
        }
    }

    private void write(List<Execution> executions) {
        if (gathered.count() == 0) {
            gatheredSince = System.nanoTime();
        }
        SensitiveKeys masked = keys.get();
        for (Execution execution : executions) {
            try {
                gathered.add(execution, masked);
            } catch (RuntimeException e) {
                counters.add("agent_error", 1);
                AgentLog.warn("an execution could not be written: " + e);
            }
        }
    }

    boolean full() {
        return gathered.count() >= BATCH || gathered.length() >= mostBytes;
    }

    /** Whether there is something to send that should not wait any longer. */
    boolean due(long lingerNanos) {
        return !pending.isEmpty() || full() || gathered.count() > 0 && System.nanoTime() - gatheredSince >= lingerNanos;
    }

    boolean gathering() {
        return gathered.count() > 0;
    }

    /** Sends what is pending, or else what was written down. */
    void send() throws Unavailable, InterruptedException {
        if (pending.isEmpty() && gathered.count() > 0) {
            pending.add(gathered.seal());
        }
        try {
            while (!pending.isEmpty()) {
                ExecutionBatch batch = pending.get(0);
                Answer answer = session.post(PATH, batch.bytes(), batch.length(), batch.key());
                // only now: had the attempt failed, the same batch would come again
                pending.remove(0);
                settle(batch, answer);
            }
        } finally {
            if (pending.isEmpty()) {
                gathered.clear(2 * BATCH_BYTES);
            }
        }
    }

    /** Reports executions that are still going on. Their end follows by the ordinary way, so nothing is tried twice here. */
    void sendRunning(List<Execution> running) throws Unavailable, InterruptedException {
        ExecutionBatch batch = new ExecutionBatch();
        running.forEach(batch::addRunning);
        batch.seal();
        session.post(PATH, batch.bytes(), batch.length(), batch.key());
    }

    boolean idle() {
        return pending.isEmpty() && gathered.count() == 0 && queue.size() == 0;
    }

    private void settle(ExecutionBatch batch, Answer answer) throws Unavailable {
        int status = answer.status();
        if (status >= 200 && status < 300) {
            countRejected(answer);
        } else if (status == 413) {
            split(batch);
        } else if (status == 400 || status == 415 || status == 422) {
            counters.add("rejected_" + status, batch.count());
            AgentLog.warn("the server refused " + batch.count() + " executions with " + status);
        } else {
            pending.add(0, batch);
            throw new Unavailable("executions were answered with " + status, answer.retryAfterMillis());
        }
    }

    private void split(ExecutionBatch batch) {
        if (batch.count() > 1) {
            int half = batch.count() / 2;
            mostBytes = Math.min(mostBytes, Math.max(LEAST_BYTES, batch.length() / 2));
            pending.add(0, batch.part(half, batch.count()));
            pending.add(0, batch.part(0, half));
            return;
        }
        ExecutionBatch rest = batch.withoutPayload();
        if (rest == null) {
            counters.add("too_large", 1);
        } else {
            pending.add(0, rest);
        }
    }

    private void countRejected(Answer answer) {
        if (!(JsonText.object(answer.body()).get("rejected") instanceof List<?> rejected)) {
            return;
        }
        for (Object element : rejected) {
            Object reason = element instanceof Map<?, ?> map ? map.get("reason") : null;
            counters.add("too_old".equals(reason) || "in_future".equals(reason) ? (String) reason : "rejected", 1);
        }
    }
}
