package io.cameleer.agent.metrics;

import java.io.IOException;
import java.util.Map;

import com.fasterxml.jackson.core.JsonGenerator;

import io.cameleer.agent.json.ExecutionWriter;
import io.cameleer.agent.mask.SensitiveKeys;
import io.cameleer.agent.send.OutgoingRecord;

/** One value at one moment. A counter only grows while the JVM lives; a gauge is what it is. */
record Metric(String name, double value, long millis, Map<String, String> tags, boolean counter) implements OutgoingRecord {

    @Override
    public int size() {
        int size = 128 + name.length();
        for (Map.Entry<String, String> tag : tags.entrySet()) {
            size += 32 + tag.getKey().length() + tag.getValue().length();
        }
        return size;
    }

    @Override
    public void write(JsonGenerator json, SensitiveKeys keys) throws IOException {
        json.writeStartObject();
        json.writeStringField("metricName", name);
        if (value == Math.rint(value) && Math.abs(value) < 1L << 53) {
            json.writeNumberField("value", (long) value);
        } else {
            json.writeNumberField("value", value);
        }
        json.writeStringField("timestamp", ExecutionWriter.time(millis));
        json.writeObjectFieldStart("tags");
        for (Map.Entry<String, String> tag : tags.entrySet()) {
            json.writeStringField(tag.getKey(), tag.getValue());
        }
        json.writeEndObject();
        json.writeStringField("type", counter ? "counter" : "gauge");
        json.writeEndObject();
    }
}
