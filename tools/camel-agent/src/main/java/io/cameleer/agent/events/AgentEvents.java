package io.cameleer.agent.events;

import java.io.IOException;
import java.util.Map;
import java.util.TreeMap;

import com.fasterxml.jackson.core.JsonGenerator;

import io.cameleer.agent.json.ExecutionWriter;
import io.cameleer.agent.mask.SensitiveKeys;
import io.cameleer.agent.send.OutgoingRecord;
import io.cameleer.agent.send.RecordQueue;

/** What happened to this agent and its contexts, for the server's record. From any thread; never waits, never throws. */
public final class AgentEvents {

    /** Events that may wait for the server. */
    public static final int QUEUE = 1_000;

    private static final int DETAILS = 50;
    private static final int TEXT = 1_024;

    private final RecordQueue queue;

    public AgentEvents(RecordQueue queue) {
        this.queue = queue;
    }

    /** @param detail texts, numbers and truth values by name; others as their text; null values are left out */
    public void add(String type, Map<String, ?> detail) {
        Map<String, Object> kept = new TreeMap<>();
        int size = 64 + type.length();
        for (Map.Entry<String, ?> entry : detail.entrySet()) {
            Object value = entry.getValue();
            if (value == null || kept.size() >= DETAILS) {
                continue;
            }
            if (!(value instanceof Number) && !(value instanceof Boolean)) {
                String text = String.valueOf(value);
                value = text.length() <= TEXT ? text : text.substring(0, TEXT) + "…";
                size += ((String) value).length();
            }
            kept.put(entry.getKey(), value);
            size += 32 + entry.getKey().length();
        }
        queue.add(new Event(type, System.currentTimeMillis(), kept, size));
    }

    private record Event(String type, long millis, Map<String, Object> detail, int size) implements OutgoingRecord {

        @Override
        public void write(JsonGenerator json, SensitiveKeys keys) throws IOException {
            json.writeStartObject();
            json.writeStringField("type", type);
            json.writeStringField("timestamp", ExecutionWriter.time(millis));
            json.writeObjectFieldStart("detail");
            for (Map.Entry<String, Object> entry : detail.entrySet()) {
                json.writeFieldName(entry.getKey());
                json.writeObject(entry.getValue());
            }
            json.writeEndObject();
            json.writeEndObject();
        }
    }
}
