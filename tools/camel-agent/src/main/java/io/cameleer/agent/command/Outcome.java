package io.cameleer.agent.command;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;

import com.fasterxml.jackson.core.JsonGenerator;

import io.cameleer.agent.json.JsonText;

/**
 * How a command ended, as it is acknowledged.
 *
 * @param message a sentence, or null
 * @param data may be empty
 */
record Outcome(boolean success, String message, Map<String, Object> data) {

    private static final int MESSAGE_LIMIT = 4_000;
    private static final int BODY_LIMIT = 250 << 10;

    static Outcome success(String message, Map<String, Object> data) {
        return new Outcome(true, message, data);
    }

    static Outcome failure(String message) {
        return new Outcome(false, message, Map.of());
    }

    /** The body of the acknowledgement, within the server's bounds: an output that is too large is left out and said so. */
    byte[] json() {
        byte[] whole = write(data);
        if (whole.length <= BODY_LIMIT) {
            return whole;
        }
        Map<String, Object> less = new HashMap<>(data);
        less.remove("output");
        less.remove("result");
        less.put("outputLeftOut", true);
        byte[] cut = write(less);
        return cut.length <= BODY_LIMIT ? cut : new Outcome(success, message, Map.of("outputLeftOut", true)).json();
    }

    private byte[] write(Map<String, Object> members) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(512);
        try (JsonGenerator json = JsonText.FACTORY.createGenerator(out)) {
            json.writeStartObject();
            json.writeStringField("status", success ? "SUCCESS" : "FAILURE");
            if (message != null) {
                json.writeStringField("message", message.length() <= MESSAGE_LIMIT ? message : message.substring(0, MESSAGE_LIMIT) + "…");
            }
            if (!members.isEmpty()) {
                json.writeFieldName("data");
                JsonText.write(json, members);
            }
            json.writeEndObject();
        } catch (IOException e) {
            throw new IllegalStateException("writing to memory failed", e);
        }
        return out.toByteArray();
    }
}
