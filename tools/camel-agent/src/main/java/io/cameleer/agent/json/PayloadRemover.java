package io.cameleer.agent.json;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Set;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;

/** Takes bodies and headers out of an execution that is already written: what is left of one that is too large for a request. */
public final class PayloadRemover {

    private static final Set<String> PAYLOAD = Set.of("inputBody", "inputHeaders", "outputBody", "outputHeaders");

    private final JsonParser parser;
    private final JsonGenerator json;
    private boolean found;

    private PayloadRemover(JsonParser parser, JsonGenerator json) {
        this.parser = parser;
        this.json = json;
    }

    /** @return the execution with the attribute {@code payloadLeftOut}, or null when it has no payload */
    public static byte[] without(byte[] bytes, int from, int count) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(8_192);
        try (JsonParser parser = JsonText.FACTORY.createParser(bytes, from, count); JsonGenerator json = JsonText.FACTORY.createGenerator(out)) {
            PayloadRemover remover = new PayloadRemover(parser, json);
            parser.nextToken();
            remover.element();
            if (!remover.found) {
                return null;
            }
        } catch (IOException e) {
            throw new IllegalStateException("reading what was written failed", e);
        }
        return out.toByteArray();
    }

    /** An execution or a processor record. */
    private void element() throws IOException {
        json.writeStartObject();
        boolean said = false;
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String name = parser.currentName();
            JsonToken value = parser.nextToken();
            if (PAYLOAD.contains(name)) {
                parser.skipChildren();
                found = true;
                continue;
            }
            json.writeFieldName(name);
            if ("attributes".equals(name)) {
                json.writeStartObject();
                while (parser.nextToken() == JsonToken.FIELD_NAME) {
                    json.writeStringField(parser.currentName(), parser.nextTextValue());
                }
                said = true;
                say();
            } else if (value == JsonToken.START_ARRAY) {
                json.writeStartArray();
                while (parser.nextToken() == JsonToken.START_OBJECT) {
                    element();
                }
                json.writeEndArray();
            } else {
                json.copyCurrentEvent(parser);
            }
        }
        if (!said) {
            json.writeObjectFieldStart("attributes");
            say();
        }
        json.writeEndObject();
    }

    private void say() throws IOException {
        json.writeStringField("payloadLeftOut", "true");
        json.writeEndObject();
    }
}
