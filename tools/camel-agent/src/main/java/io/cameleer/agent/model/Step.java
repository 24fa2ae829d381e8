package io.cameleer.agent.model;

import java.nio.charset.StandardCharsets;

import com.fasterxml.jackson.core.io.JsonStringEncoder;

/** What all records of one processor have in common, put into JSON once. */
public final class Step {

    public final String id;
    public final String type;
    /** Where it sends to as the route says it, or null for what sends nowhere. */
    public final String endpointUri;
    private volatile byte[] members;

    public Step(String id, String type, String endpointUri) {
        this.id = id;
        this.type = type;
        this.endpointUri = endpointUri;
    }

    /** As members of a JSON object that has some already: each begins with its comma. Not to be changed. */
    public byte[] members() {
        byte[] known = members;
        if (known == null) {
            StringBuilder text = new StringBuilder(128);
            member(text, "processorId", id);
            member(text, "processorType", type);
            member(text, "endpointUri", endpointUri);
            known = text.toString().getBytes(StandardCharsets.UTF_8);
            members = known;
        }
        return known;
    }

    private static void member(StringBuilder text, String name, String value) {
        if (value != null) {
            text.append(",\"").append(name).append("\":\"");
            JsonStringEncoder.getInstance().quoteAsString(value, text);
            text.append('"');
        }
    }
}
