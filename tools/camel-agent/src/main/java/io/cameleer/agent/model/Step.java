package io.cameleer.agent.model;

import com.fasterxml.jackson.core.SerializableString;
import com.fasterxml.jackson.core.io.JsonStringEncoder;
import com.fasterxml.jackson.core.io.SerializedString;

/** What all records of one processor have in common, put into JSON once. */
public final class Step {

    public final String id;
    public final String type;
    /** Where it sends to as the route says it, or null for what sends nowhere. */
    public final String endpointUri;
    private volatile SerializableString members;

    public Step(String id, String type, String endpointUri) {
        this.id = id;
        this.type = type;
        this.endpointUri = endpointUri;
    }

    /** As members of a JSON object that has some already: each begins with its comma. */
    public SerializableString members() {
        SerializableString known = members;
        if (known == null) {
            StringBuilder text = new StringBuilder(128);
            member(text, "processorId", id);
            member(text, "processorType", type);
            member(text, "endpointUri", endpointUri);
            known = new SerializedString(text.toString());
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
