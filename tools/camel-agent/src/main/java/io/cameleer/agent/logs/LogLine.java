package io.cameleer.agent.logs;

import java.io.IOException;
import java.util.Map;

import com.fasterxml.jackson.core.JsonGenerator;

import io.cameleer.agent.json.ExecutionWriter;
import io.cameleer.agent.mask.BodyMasker;
import io.cameleer.agent.mask.SensitiveKeys;
import io.cameleer.agent.send.OutgoingRecord;

/** One line of the application's log. Sensitive values are masked when it is written, off the application's threads. */
record LogLine(long millis, String level, String logger, String thread, String message, String stackTrace, Map<String, String> mdc,
               String exchangeId, String routeId) implements OutgoingRecord {

    @Override
    public int size() {
        int size = 256 + message.length() + logger.length() + thread.length() + (stackTrace == null ? 0 : stackTrace.length());
        for (Map.Entry<String, String> entry : mdc.entrySet()) {
            size += 32 + entry.getKey().length() + entry.getValue().length();
        }
        return size;
    }

    @Override
    public void write(JsonGenerator json, SensitiveKeys keys) throws IOException {
        json.writeStartObject();
        json.writeStringField("timestamp", ExecutionWriter.time(millis));
        json.writeStringField("level", level);
        json.writeStringField("logger", logger);
        json.writeStringField("thread", thread);
        json.writeStringField("message", BodyMasker.mask(message, keys));
        if (stackTrace != null) {
            json.writeStringField("stackTrace", stackTrace);
        }
        json.writeObjectFieldStart("mdc");
        for (Map.Entry<String, String> entry : mdc.entrySet()) {
            json.writeStringField(entry.getKey(), keys.matches(entry.getKey()) ? SensitiveKeys.MASK : entry.getValue());
        }
        json.writeEndObject();
        json.writeStringField("source", "app");
        if (exchangeId != null) {
            json.writeStringField("exchangeId", exchangeId);
        }
        if (routeId != null) {
            json.writeStringField("routeId", routeId);
        }
        json.writeEndObject();
    }
}
