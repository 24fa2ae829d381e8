package io.cameleer.agent.send;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

import com.fasterxml.jackson.core.JsonGenerator;

import io.cameleer.agent.boot.AgentLog;
import io.cameleer.agent.json.JsonText;
import io.cameleer.agent.mask.SensitiveKeys;
import io.cameleer.agent.model.Ids;
import io.cameleer.agent.send.ServerConnection.Answer;

/** Brings the records of one queue to the server. The rules are those of {@link ExecutionSender}; what is given up is counted by kind. */
final class RecordSender {

    private static final int BATCH = 1_000;
    private static final int BATCH_BYTES = 1 << 20;

    /** One request that has to get through: its bytes and its key stay the same over all attempts. */
    private record Batch(List<OutgoingRecord> records, byte[] body, String key) {
    }

    private final Session session;
    private final RecordQueue queue;
    private final Counters counters;
    private final Supplier<SensitiveKeys> keys;
    private final ArrayList<Batch> pending = new ArrayList<>();

    RecordSender(Session session, RecordQueue queue, Counters counters, Supplier<SensitiveKeys> keys) {
        this.session = session;
        this.queue = queue;
        this.counters = counters;
        this.keys = keys;
    }

    /**
     * Sends what is pending, then one batch of what waits.
     *
     * @return true when a whole batch waits already: less is gathered until the next round
     */
    boolean sendSome() throws Unavailable, InterruptedException {
        if (pending.isEmpty()) {
            List<OutgoingRecord> taken = queue.take(BATCH, BATCH_BYTES);
            if (taken.isEmpty()) {
                return false;
            }
            encode(taken, 0);
        }
        while (!pending.isEmpty()) {
            Batch batch = pending.get(0);
            Answer answer = session.post("/api/v1/data/" + queue.kind(), batch.body(), batch.key());
            // only now: had the attempt failed, the same batch would come again
            pending.remove(0);
            settle(batch, answer);
        }
        return queue.size() >= BATCH || queue.bytes() >= BATCH_BYTES;
    }

    boolean idle() {
        return pending.isEmpty() && queue.size() == 0;
    }

    private void settle(Batch batch, Answer answer) throws Unavailable {
        int status = answer.status();
        if (status >= 200 && status < 300) {
            countRejected(answer);
        } else if (status == 413 && batch.records().size() > 1) {
            int half = batch.records().size() / 2;
            encode(batch.records().subList(half, batch.records().size()), 0);
            encode(batch.records().subList(0, half), 0);
        } else if (status == 413) {
            counters.add(queue.kind() + "_too_large", 1);
        } else if (status == 400 || status == 404 || status == 415 || status == 422) {
            counters.add(queue.kind() + "_rejected_" + status, batch.records().size());
            AgentLog.warn("the server refused " + batch.records().size() + " " + queue.kind() + " with " + status);
        } else {
            pending.add(0, batch);
            throw new Unavailable(queue.kind() + " were answered with " + status, answer.retryAfterMillis());
        }
    }

    private void countRejected(Answer answer) {
        if (JsonText.object(answer.body()).get("rejected") instanceof List<?> rejected) {
            for (Object element : rejected) {
                Object reason = element instanceof Map<?, ?> map ? map.get("reason") : null;
                boolean known = "too_old".equals(reason) || "in_future".equals(reason);
                counters.add(queue.kind() + (known ? "_" + reason : "_rejected"), 1);
            }
        }
    }

    private void encode(List<OutgoingRecord> records, int place) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(8_192);
        try (JsonGenerator json = JsonText.FACTORY.createGenerator(out)) {
            json.writeStartArray();
            SensitiveKeys masked = keys.get();
            for (OutgoingRecord one : records) {
                one.write(json, masked);
            }
            json.writeEndArray();
        } catch (IOException | RuntimeException e) {
            counters.add("agent_error", records.size());
            AgentLog.warn(queue.kind() + " could not be written: " + e);
            return;
        }
        pending.add(place, new Batch(List.copyOf(records), out.toByteArray(), Ids.next()));
    }
}
