package io.cameleer.agent.json;

import java.io.IOException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.SerializableString;
import com.fasterxml.jackson.core.io.SerializedString;

import io.cameleer.agent.mask.BodyMasker;
import io.cameleer.agent.mask.SensitiveKeys;
import io.cameleer.agent.model.Execution;
import io.cameleer.agent.model.Failure;
import io.cameleer.agent.model.Payload;
import io.cameleer.agent.model.ProcessorRecord;
import io.cameleer.agent.model.Status;

/** Writes executions as the protocol has them, with flat processor records. Sensitive values are masked here, off the application's threads. */
public final class ExecutionWriter {

    private static final DateTimeFormatter TIME =
        DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss").withZone(ZoneOffset.UTC);
    private static final long NANOS_PER_MILLI = 1_000_000L;

    private static final SerializableString SEQ = new SerializedString("seq");
    private static final SerializableString PARENT_SEQ = new SerializedString("parentSeq");
    private static final SerializableString DURATION = new SerializedString("durationMs");
    /** By status: it, and the name of the start time. */
    private static final SerializableString[] STARTED = Arrays.stream(Status.values())
        .map(status -> new SerializedString(",\"status\":\"" + status + "\",\"startTime\":\"")).toArray(SerializableString[]::new);
    private static final int MOMENTS = 256;

    private final JsonGenerator json;
    private final long[] momentMillis = new long[MOMENTS];
    private final SerializableString[] moments = new SerializableString[MOMENTS];
    private final SensitiveKeys keys;
    private final boolean payload;

    /** @param payload false writes the same executions without bodies and headers: what is left of one that is too large */
    public ExecutionWriter(JsonGenerator json, SensitiveKeys keys, boolean payload) {
        this.json = json;
        this.keys = keys;
        this.payload = payload;
    }

    /** A start time with its closing quote. Those of one request are within a few milliseconds of each other. */
    private SerializableString moment(long millis) {
        int place = (int) (millis & MOMENTS - 1);
        if (moments[place] == null || momentMillis[place] != millis) {
            moments[place] = new SerializedString(time(millis) + '"');
            momentMillis[place] = millis;
        }
        return moments[place];
    }

    /** The last second that was written: nearly all times of one request are within a few. */
    private record Second(long number, String text) {
    }

    private static volatile Second last = new Second(0, TIME.format(Instant.EPOCH));

    public static String time(long millis) {
        long number = Math.floorDiv(millis, 1_000L);
        Second second = last;
        if (second.number() != number) {
            second = new Second(number, TIME.format(Instant.ofEpochSecond(number)));
            last = second;
        }
        int rest = (int) Math.floorMod(millis, 1_000L);
        return second.text() + '.' + (char) ('0' + rest / 100) + (char) ('0' + rest / 10 % 10) + (char) ('0' + rest % 10) + 'Z';
    }

    /** An execution that is still going on: its identity, its start, and that it runs. */
    public void running(Execution execution) throws IOException {
        json.writeStartObject();
        identity(execution);
        json.writeStringField("status", "RUNNING");
        json.writeStringField("startTime", time(execution.startMillis));
        json.writeEndObject();
    }

    /** A closed execution, whole. */
    public void closed(Execution execution) throws IOException {
        json.writeStartObject();
        identity(execution);
        json.writeStringField("status", execution.status().name());
        json.writeStringField("startTime", time(execution.startMillis));
        json.writeStringField("endTime", time(execution.endMillis()));
        json.writeNumberField("durationMs", execution.durationNanos() / NANOS_PER_MILLI);
        failure(execution.failure());
        payload("input", execution.input());
        payload("output", execution.output());
        attributes(execution.attributes(), execution.input(), execution.output());
        json.writeArrayFieldStart("processorExecutions");
        for (ProcessorRecord record : execution.processors()) {
            processor(record);
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private void identity(Execution execution) throws IOException {
        json.writeStringField("executionId", execution.executionId);
        json.writeStringField("exchangeId", execution.exchangeId);
        json.writeStringField("correlationId", execution.correlationId);
        text("parentExecutionId", execution.parentExecutionId);
        json.writeStringField("routeId", execution.routeId);
        text("fromEndpoint", execution.fromEndpoint);
        text("engineLevel", execution.engineLevel);
        text("diagramHash", execution.diagramHash);
        text("replayOf", execution.replayOf);
    }

    private void processor(ProcessorRecord record) throws IOException {
        json.writeStartObject();
        json.writeFieldName(SEQ);
        json.writeNumber(record.seq);
        if (record.parent != null) {
            json.writeFieldName(PARENT_SEQ);
            json.writeNumber(record.parent.seq);
        }
        // ready-made members, each with the comma before it
        json.writeRaw(record.step.members());
        json.writeRaw(STARTED[record.status.ordinal()]);
        json.writeRaw(moment(record.startMillis));
        json.writeFieldName(DURATION);
        json.writeNumber(record.durationNanos / NANOS_PER_MILLI);
        number("iteration", record.iteration);
        number("iterationSize", record.iterationSize);
        number("loopIndex", record.loopIndex);
        number("splitIndex", record.splitIndex);
        number("multicastIndex", record.multicastIndex);
        text("resolvedEndpointUri", record.resolvedEndpointUri);
        failure(record.failure);
        payload("input", record.input);
        payload("output", record.output);
        attributes(record.attributes, record.input, record.output);
        if (record.filterMatched != null) {
            json.writeBooleanField("filterMatched", record.filterMatched);
        }
        json.writeEndObject();
    }

    private void failure(Failure failure) throws IOException {
        if (failure != null) {
            text("errorMessage", failure.message());
            text("errorStackTrace", failure.stackTrace());
        }
    }

    private void payload(String side, Payload content) throws IOException {
        if (content == null || !payload) {
            return;
        }
        if (content.body() != null) {
            json.writeStringField(side + "Body", BodyMasker.mask(content.body(), keys));
        }
        json.writeObjectFieldStart(side + "Headers");
        for (Map.Entry<String, String> header : content.headers().entrySet()) {
            String value = keys.matches(header.getKey()) ? SensitiveKeys.MASK : BodyMasker.mask(header.getValue(), keys);
            json.writeStringField(header.getKey(), value);
        }
        json.writeEndObject();
    }

    private void attributes(Map<String, String> own, Payload input, Payload output) throws IOException {
        if (payload && own.isEmpty() && input == null && output == null) {
            return;
        }
        Map<String, String> all = new TreeMap<>(own);
        cut(all, "inputBodySize", input);
        cut(all, "outputBodySize", output);
        if (!payload) {
            all.put("payloadLeftOut", "true");
        }
        if (all.isEmpty()) {
            return;
        }
        json.writeObjectFieldStart("attributes");
        for (Map.Entry<String, String> attribute : all.entrySet()) {
            boolean secret = keys.matches(attribute.getKey());
            json.writeStringField(attribute.getKey(), secret ? SensitiveKeys.MASK : BodyMasker.mask(attribute.getValue(), keys));
        }
        json.writeEndObject();
    }

    private static void cut(Map<String, String> all, String name, Payload content) {
        if (content != null && content.bodySize() >= 0) {
            all.put(name, Long.toString(content.bodySize()));
            all.put("truncated", "true");
        }
    }

    private void text(String name, String value) throws IOException {
        if (value != null) {
            json.writeStringField(name, value);
        }
    }

    private void number(String name, Integer value) throws IOException {
        if (value != null) {
            json.writeNumberField(name, value);
        }
    }
}
