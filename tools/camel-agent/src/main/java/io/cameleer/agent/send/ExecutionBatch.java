package io.cameleer.agent.send;

import java.util.Arrays;

import io.cameleer.agent.json.ExecutionWriter;
import io.cameleer.agent.json.JsonBytes;
import io.cameleer.agent.json.PayloadRemover;
import io.cameleer.agent.mask.SensitiveKeys;
import io.cameleer.agent.model.Execution;
import io.cameleer.agent.model.Ids;

/**
 * One request that has to get through: its bytes and its key stay the same over all attempts. Executions are written the moment they
 * are added and let go of, so that they do not live on in the application's heap. Used by one thread.
 */
final class ExecutionBatch {

    private final JsonBytes json = new JsonBytes();
    private final ExecutionWriter writer = new ExecutionWriter(json);
    private int[] ends = new int[64];
    private int count;
    private boolean payload = true;
    private String key;

    /** Begins anew, with the memory of what was there before. */
    void clear(int keepBytes) {
        count = 0;
        payload = true;
        key = null;
        json.clear(keepBytes);
    }

    int count() {
        return count;
    }

    int length() {
        return json.length();
    }

    byte[] bytes() {
        return json.array();
    }

    String key() {
        return key;
    }

    /** Adds one that was closed. @throws RuntimeException when it cannot be written; the batch is as it was */
    void add(Execution execution, SensitiveKeys keys) {
        begin();
        int before = json.length();
        try {
            json.raw(count == 0 ? '[' : ',');
            writer.closed(execution, keys);
        } catch (RuntimeException e) {
            json.cut(before);
            throw e;
        }
        ended();
        // the application's exchanges may still refer to it: from now on it holds only its identity
        execution.forget();
    }

    /** Adds one that goes on. */
    void addRunning(Execution execution) {
        begin();
        json.raw(count == 0 ? '[' : ',');
        writer.running(execution);
        ended();
    }

    private void begin() {
        if (count == ends.length) {
            ends = Arrays.copyOf(ends, count * 2);
        }
    }

    private void ended() {
        ends[count++] = json.length();
    }

    /** Nothing more is added: it may be sent. */
    ExecutionBatch seal() {
        json.raw(']');
        key = Ids.next();
        return this;
    }

    /** The executions from one place to another as a batch of their own. */
    ExecutionBatch part(int from, int to) {
        ExecutionBatch part = new ExecutionBatch();
        part.payload = payload;
        for (int i = from; i < to; i++) {
            part.begin();
            part.json.raw(part.count == 0 ? '[' : ',');
            int start = i == 0 ? 1 : ends[i - 1] + 1;
            part.json.raw(json.array(), start, ends[i] - start);
            part.ended();
        }
        return part.seal();
    }

    /** The only execution without its payload, or null when there is nothing to leave out. */
    ExecutionBatch withoutPayload() {
        byte[] less = payload ? PayloadRemover.without(json.array(), 1, ends[0] - 1) : null;
        if (less == null) {
            return null;
        }
        ExecutionBatch rest = new ExecutionBatch();
        rest.payload = false;
        rest.json.raw('[').raw(less);
        rest.ended();
        return rest.seal();
    }
}
