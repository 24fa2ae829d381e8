package io.cameleer.agent.send;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

import com.fasterxml.jackson.core.JsonGenerator;

import io.cameleer.agent.boot.AgentLog;
import io.cameleer.agent.json.ExecutionWriter;
import io.cameleer.agent.json.JsonText;
import io.cameleer.agent.mask.SensitiveKeys;
import io.cameleer.agent.model.Execution;
import io.cameleer.agent.model.Ids;
import io.cameleer.agent.send.ServerConnection.Answer;

/** Brings executions to the server in batches: what is accepted is done, what is refused is counted, what failed is tried again under the same key. */
final class ExecutionSender {

    private static final String PATH = "/api/v1/data/executions";
    private static final int BATCH = 500;
    private static final int BATCH_BYTES = 1 << 20;

    /** One request that has to get through: its bytes and its key stay the same over all attempts. */
    private record Batch(List<Execution> executions, byte[] body, String key, boolean payload) {
    }

    private final Session session;
    private final ExecutionQueue queue;
    private final Counters counters;
    private final Supplier<SensitiveKeys> keys;
    private final ArrayList<Batch> pending = new ArrayList<>();

    ExecutionSender(Session session, ExecutionQueue queue, Counters counters, Supplier<SensitiveKeys> keys) {
        this.session = session;
        this.queue = queue;
        this.counters = counters;
        this.keys = keys;
    }

    /**
     * Sends what is pending, then one batch of what waits.
     *
     * @return true when the batch was full or another full one waits
     */
    boolean sendSome(long waitMillis) throws Unavailable, InterruptedException {
        if (pending.isEmpty()) {
            List<Execution> taken = queue.take(BATCH, BATCH_BYTES, waitMillis);
            if (taken.isEmpty()) {
                return false;
            }
            encode(taken, true);
        }
        int first = pending.isEmpty() ? 0 : pending.get(0).executions().size();
        while (!pending.isEmpty()) {
            Batch batch = pending.get(0);
            Answer answer = session.post(PATH, batch.body(), batch.key());
            // only now: had the attempt failed, the same batch would come again
            pending.remove(0);
            settle(batch, answer);
        }
        return first >= BATCH || queue.size() >= BATCH || queue.bytes() >= BATCH_BYTES;
    }

    /** Reports executions that are still going on. Their end follows by the ordinary way, so nothing is tried twice here. */
    void sendRunning(List<Execution> running) throws Unavailable, InterruptedException {
        byte[] body = array(json -> {
            ExecutionWriter writer = new ExecutionWriter(json, keys.get(), false);
            for (Execution execution : running) {
                writer.running(execution);
            }
        });
        session.post(PATH, body, Ids.next());
    }

    boolean idle() {
        return pending.isEmpty() && queue.size() == 0;
    }

    private void settle(Batch batch, Answer answer) throws Unavailable {
        int status = answer.status();
        if (status >= 200 && status < 300) {
            countRejected(answer);
            forget(batch);
        } else if (status == 413) {
            split(batch);
        } else if (status == 400 || status == 415 || status == 422) {
            drop(batch, "rejected_" + status);
            AgentLog.warn("the server refused " + batch.executions().size() + " executions with " + status);
        } else {
            pending.add(0, batch);
            throw new Unavailable("executions were answered with " + status, answer.retryAfterMillis());
        }
    }

    private void split(Batch batch) {
        List<Execution> all = batch.executions();
        if (all.size() > 1) {
            int half = all.size() / 2;
            encode(all.subList(half, all.size()), batch.payload(), 0);
            encode(all.subList(0, half), batch.payload(), 0);
        } else if (batch.payload()) {
            encode(all, false, 0);
        } else {
            drop(batch, "too_large");
        }
    }

    private void encode(List<Execution> executions, boolean payload) {
        encode(executions, payload, pending.size());
    }

    private void encode(List<Execution> executions, boolean payload, int place) {
        try {
            byte[] body = array(json -> {
                ExecutionWriter writer = new ExecutionWriter(json, keys.get(), payload);
                for (Execution execution : executions) {
                    writer.closed(execution);
                }
            });
            pending.add(place, new Batch(List.copyOf(executions), body, Ids.next(), payload));
        } catch (RuntimeException e) {
            counters.add("agent_error", executions.size());
            AgentLog.warn("executions could not be written: " + e);
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

    private void drop(Batch batch, String reason) {
        counters.add(reason, batch.executions().size());
        forget(batch);
    }

    private static void forget(Batch batch) {
        for (Execution execution : batch.executions()) {
            execution.forget();
        }
    }

    private interface Elements {
        void write(JsonGenerator json) throws IOException;
    }

    private static byte[] array(Elements elements) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(8_192);
        try (JsonGenerator json = JsonText.FACTORY.createGenerator(out)) {
            json.writeStartArray();
            elements.write(json);
            json.writeEndArray();
        } catch (IOException e) {
            throw new IllegalStateException("writing to memory failed", e);
        }
        return out.toByteArray();
    }
}
