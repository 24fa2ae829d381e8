package io.cameleer.agent.send;

import java.io.IOException;

import com.fasterxml.jackson.core.JsonGenerator;

import io.cameleer.agent.mask.SensitiveKeys;

/** One element of a data request other than an execution. Immutable: it is made on the application's threads and written on the agent's. */
public interface OutgoingRecord {

    /** About how many bytes it keeps. */
    int size();

    /** Writes itself as one JSON value, without the values of the sensitive keys. */
    void write(JsonGenerator json, SensitiveKeys keys) throws IOException;
}
