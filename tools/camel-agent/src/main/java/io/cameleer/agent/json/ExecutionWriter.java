package io.cameleer.agent.json;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

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

    private static final byte[] EXECUTION_ID = ascii("{\"executionId\":");
    private static final byte[] EXCHANGE_ID = ascii(",\"exchangeId\":");
    private static final byte[] CORRELATION_ID = ascii(",\"correlationId\":");
    private static final byte[] PARENT_EXECUTION_ID = ascii(",\"parentExecutionId\":");
    private static final byte[] ROUTE_ID = ascii(",\"routeId\":");
    private static final byte[] FROM_ENDPOINT = ascii(",\"fromEndpoint\":");
    private static final byte[] ENGINE_LEVEL = ascii(",\"engineLevel\":");
    private static final byte[] DIAGRAM_HASH = ascii(",\"diagramHash\":");
    private static final byte[] REPLAY_OF = ascii(",\"replayOf\":");
    private static final byte[] END_TIME = ascii(",\"endTime\":\"");
    private static final byte[] DURATION = ascii(",\"durationMs\":");
    private static final byte[] PROCESSORS = ascii(",\"processorExecutions\":[");
    private static final byte[] SEQ = ascii("{\"seq\":");
    private static final byte[] PARENT_SEQ = ascii(",\"parentSeq\":");
    private static final byte[] ITERATION = ascii(",\"iteration\":");
    private static final byte[] ITERATION_SIZE = ascii(",\"iterationSize\":");
    private static final byte[] LOOP_INDEX = ascii(",\"loopIndex\":");
    private static final byte[] SPLIT_INDEX = ascii(",\"splitIndex\":");
    private static final byte[] MULTICAST_INDEX = ascii(",\"multicastIndex\":");
    private static final byte[] RESOLVED_URI = ascii(",\"resolvedEndpointUri\":");
    private static final byte[] FILTER_MATCHED = ascii(",\"filterMatched\":");
    private static final byte[] ERROR_MESSAGE = ascii(",\"errorMessage\":");
    private static final byte[] STACK_TRACE = ascii(",\"errorStackTrace\":");
    private static final byte[] INPUT_BODY = ascii(",\"inputBody\":");
    private static final byte[] INPUT_HEADERS = ascii(",\"inputHeaders\":");
    private static final byte[] OUTPUT_BODY = ascii(",\"outputBody\":");
    private static final byte[] OUTPUT_HEADERS = ascii(",\"outputHeaders\":");
    private static final byte[] ATTRIBUTES = ascii(",\"attributes\":");
    private static final byte[] TRUE = ascii("true");
    private static final byte[] FALSE = ascii("false");
    /** By status: it, and the name of the start time. */
    private static final byte[][] STARTED = Arrays.stream(Status.values())
        .map(status -> ascii(",\"status\":\"" + status + "\",\"startTime\":\"")).toArray(byte[][]::new);

    private final JsonBytes json;
    private long secondNumber = Long.MIN_VALUE;
    private byte[] secondText;

    public ExecutionWriter(JsonBytes json) {
        this.json = json;
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** The last second that was asked for: nearly all times of one request are within a few. */
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

    /** A time with its closing quote. Nearly all of one request are within a few seconds. */
    private void moment(long millis) {
        long number = Math.floorDiv(millis, 1_000L);
        if (number != secondNumber) {
            secondText = ascii(TIME.format(Instant.ofEpochSecond(number)) + '.');
            secondNumber = number;
        }
        json.raw(secondText).digits((int) Math.floorMod(millis, 1_000L), 3).raw('Z').raw('"');
    }

    /** An execution that is still going on: its identity, its start, and that it runs. */
    public void running(Execution execution) {
        identity(execution);
        json.raw(STARTED[Status.RUNNING.ordinal()]);
        moment(execution.startMillis);
        json.raw('}');
    }

    /** A closed execution, whole. */
    public void closed(Execution execution, SensitiveKeys keys) {
        identity(execution);
        json.raw(STARTED[execution.status().ordinal()]);
        moment(execution.startMillis);
        json.raw(END_TIME);
        moment(execution.endMillis());
        json.raw(DURATION).number(execution.durationNanos() / NANOS_PER_MILLI);
        failure(execution.failure());
        content(execution.attributes(), execution.input(), execution.output(), keys);
        json.raw(PROCESSORS);
        List<ProcessorRecord> records = execution.processors();
        for (int i = 0; i < records.size(); i++) {
            if (i > 0) {
                json.raw(',');
            }
            processor(records.get(i), keys);
        }
        json.raw(']').raw('}');
    }

    private void identity(Execution execution) {
        json.raw(EXECUTION_ID).text(execution.executionId);
        json.raw(EXCHANGE_ID).text(execution.exchangeId);
        json.raw(CORRELATION_ID).text(execution.correlationId);
        text(PARENT_EXECUTION_ID, execution.parentExecutionId);
        json.raw(ROUTE_ID).text(execution.routeId);
        text(FROM_ENDPOINT, execution.fromEndpoint);
        text(ENGINE_LEVEL, execution.engineLevel);
        text(DIAGRAM_HASH, execution.diagramHash);
        text(REPLAY_OF, execution.replayOf);
    }

    private void processor(ProcessorRecord record, SensitiveKeys keys) {
        json.raw(SEQ).number(record.seq);
        if (record.parent != null) {
            json.raw(PARENT_SEQ).number(record.parent.seq);
        }
        json.raw(record.step.members()).raw(STARTED[record.status.ordinal()]);
        moment(record.startMillis);
        json.raw(DURATION).number(record.durationNanos / NANOS_PER_MILLI);
        number(ITERATION, record.iteration);
        number(ITERATION_SIZE, record.iterationSize);
        number(LOOP_INDEX, record.loopIndex);
        number(SPLIT_INDEX, record.splitIndex);
        number(MULTICAST_INDEX, record.multicastIndex);
        text(RESOLVED_URI, record.resolvedEndpointUri);
        failure(record.failure);
        content(record.attributes, record.input, record.output, keys);
        if (record.filterMatched != null) {
            json.raw(FILTER_MATCHED).raw(record.filterMatched ? TRUE : FALSE);
        }
        json.raw('}');
    }

    private void failure(Failure failure) {
        if (failure != null) {
            text(ERROR_MESSAGE, failure.message());
            text(STACK_TRACE, failure.stackTrace());
        }
    }

    private void content(Map<String, String> attributes, Payload input, Payload output, SensitiveKeys keys) {
        payload(INPUT_BODY, INPUT_HEADERS, input, keys);
        payload(OUTPUT_BODY, OUTPUT_HEADERS, output, keys);
        if (!attributes.isEmpty() || input != null || output != null) {
            attributes(attributes, input, output, keys);
        }
    }

    private void payload(byte[] bodyName, byte[] headersName, Payload content, SensitiveKeys keys) {
        if (content == null) {
            return;
        }
        if (content.body() != null) {
            json.raw(bodyName).text(BodyMasker.mask(content.body(), keys));
        }
        json.raw(headersName);
        map(content.headers(), keys);
    }

    private void attributes(Map<String, String> own, Payload input, Payload output, SensitiveKeys keys) {
        Map<String, String> all = new TreeMap<>(own);
        cut(all, "inputBodySize", input);
        cut(all, "outputBodySize", output);
        if (!all.isEmpty()) {
            json.raw(ATTRIBUTES);
            map(all, keys);
        }
    }

    private static void cut(Map<String, String> all, String name, Payload content) {
        if (content != null && content.bodySize() >= 0) {
            all.put(name, Long.toString(content.bodySize()));
            all.put("truncated", "true");
        }
    }

    private void map(Map<String, String> values, SensitiveKeys keys) {
        char before = '{';
        for (Map.Entry<String, String> entry : values.entrySet()) {
            String value = keys.matches(entry.getKey()) ? SensitiveKeys.MASK : BodyMasker.mask(entry.getValue(), keys);
            json.raw(before).text(entry.getKey()).raw(':').text(value);
            before = ',';
        }
        if (before == '{') {
            json.raw('{');
        }
        json.raw('}');
    }

    private void text(byte[] name, String value) {
        if (value != null) {
            json.raw(name).text(value);
        }
    }

    private void number(byte[] name, Integer value) {
        if (value != null) {
            json.raw(name).number(value);
        }
    }
}
