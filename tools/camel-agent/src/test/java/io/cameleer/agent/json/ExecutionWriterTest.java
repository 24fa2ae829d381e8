package io.cameleer.agent.json;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

import org.junit.jupiter.api.Test;

import io.cameleer.agent.mask.SensitiveKeys;
import io.cameleer.agent.model.Execution;
import io.cameleer.agent.model.ProcessorRecord;
import io.cameleer.agent.model.Step;

class ExecutionWriterTest {

    private static final long START = 1_764_000_000_123L;

    private static Map<String, Object> written(Execution execution) throws Exception {
        JsonBytes out = new JsonBytes();
        new ExecutionWriter(out).closed(execution, SensitiveKeys.defaults());
        return JsonText.object(Arrays.copyOf(out.array(), out.length()));
    }

    private static Map<String, Object> sorted(Object object) {
        Map<String, Object> all = new TreeMap<>();
        ((Map<?, ?>) object).forEach((name, value) -> all.put((String) name, value));
        return all;
    }

    @Test
    void a_record_has_all_its_members_whatever_was_put_into_json_beforehand() throws Exception {
        Execution execution = new Execution("e", "x", "c", null, "r", "direct://a", START, 0, 10, 1_000);
        Step split = new Step("s", "split", null);
        Step send = new Step("say \"hi\"\n\u00e4\u4f60", "to", "http://h?a=\"1\\2\"");
        ProcessorRecord outer = execution.open(null, split, "x", 0);
        ProcessorRecord inner = execution.open(outer, send, "x", 2_900_000);
        inner.splitIndex = 3;
        inner.resolvedEndpointUri = "http://other";
        inner.attribute("redelivery", "1");
        execution.close(inner, new IllegalStateException("no"), 0, null, 5_900_000);
        ProcessorRecord again = execution.open(outer, send, "x", 1_000_000_000L * 60);
        execution.close(again, null, 0, null, 1_000_000_000L * 61);
        execution.close(outer, null, 0, null, 1_000_000_000L * 62);
        execution.close(null, 0, null, START + 62_000, 1_000_000_000L * 62);

        List<?> records = (List<?>) written(execution).get("processorExecutions");
        assertEquals(3, records.size());
        assertEquals(new TreeMap<String, Object>(Map.of("seq", 1, "processorId", "s", "processorType", "split", "status", "COMPLETED",
            "startTime", "2025-11-24T16:00:00.123Z", "durationMs", 62_000)), sorted(records.get(0)));
        Map<String, Object> expected = new TreeMap<>(Map.of("seq", 2, "parentSeq", 1, "processorId", "say \"hi\"\n\u00e4\u4f60",
            "processorType", "to", "endpointUri", "http://h?a=\"1\\2\"", "resolvedEndpointUri", "http://other", "status", "FAILED",
            "startTime", "2025-11-24T16:00:00.125Z", "durationMs", 3, "splitIndex", 3));
        expected.put("attributes", Map.of("redelivery", "1"));
        expected.put("errorMessage", "java.lang.IllegalStateException: no");
        assertEquals(expected, sorted(records.get(1)));
        assertEquals(new TreeMap<String, Object>(Map.of("seq", 3, "parentSeq", 1, "processorId", "say \"hi\"\n\u00e4\u4f60",
            "processorType", "to", "endpointUri", "http://h?a=\"1\\2\"", "status", "COMPLETED", "startTime", "2025-11-24T16:01:00.123Z",
            "durationMs", 1_000)), sorted(records.get(2)));
    }

    @Test
    void each_record_tells_its_own_time_however_many_there_are() throws Exception {
        Execution execution = new Execution("e", "x", "c", null, "r", "direct://a", START, 0, 2_000, 1_000);
        Step step = new Step("p", "log", null);
        for (int i = 0; i < 1_000; i++) {
            execution.close(execution.open(null, step, "x", i * 7_000_000L), null, 0, null, i * 7_000_000L);
        }
        execution.close(null, 0, null, START + 7_000, 7_000_000_000L);
        List<?> records = (List<?>) written(execution).get("processorExecutions");
        for (int i = 0; i < 1_000; i++) {
            assertEquals(java.time.Instant.ofEpochMilli(START + i * 7L),
                java.time.Instant.parse((String) ((Map<?, ?>) records.get(i)).get("startTime")));
        }
    }
}
