package io.cameleer.agent.logs;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

import com.fasterxml.jackson.core.JsonGenerator;

import io.cameleer.agent.json.JsonText;
import io.cameleer.agent.mask.SensitiveKeys;
import io.cameleer.agent.send.Counters;
import io.cameleer.agent.send.OutgoingRecord;
import io.cameleer.agent.send.RecordQueue;

/** The agent's side of logging without the rest of the agent. */
public final class LogRig {

    private final Counters counters = new Counters();
    private final RecordQueue queue = new RecordQueue("logs", 100, 1 << 20, counters);
    private final Logs logs;

    public LogRig(int perSecond) {
        logs = new Logs(queue, counters, perSecond);
    }

    public Logs logs() {
        return logs;
    }

    public Counters counters() {
        return counters;
    }

    public RecordQueue queue() {
        return queue;
    }

    /** What waits, as the server would see it. */
    public List<Map<String, Object>> lines() throws Exception {
        List<Map<String, Object>> all = new ArrayList<>();
        for (OutgoingRecord one : queue.take(1_000, Long.MAX_VALUE)) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            try (JsonGenerator json = JsonText.FACTORY.createGenerator(out)) {
                one.write(json, SensitiveKeys.defaults());
            }
            all.add(JsonText.object(out.toByteArray()));
        }
        return all;
    }
}
