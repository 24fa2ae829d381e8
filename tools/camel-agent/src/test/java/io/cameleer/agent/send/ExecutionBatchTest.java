package io.cameleer.agent.send;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

import org.junit.jupiter.api.Test;

import io.cameleer.agent.json.JsonText;
import io.cameleer.agent.mask.SensitiveKeys;
import io.cameleer.agent.model.Execution;
import io.cameleer.agent.model.Payload;
import io.cameleer.agent.model.ProcessorRecord;
import io.cameleer.agent.model.Step;

class ExecutionBatchTest {

    private static final SensitiveKeys KEYS = SensitiveKeys.defaults();

    private static Execution plain(String id) {
        Execution execution = new Execution(id, "ex-" + id, id, null, "route", "direct://x", 1_000, 0, 100, 1 << 20);
        execution.close(execution.open(null, new Step("p", "log", null), "ex-" + id, 0), null, 0, null, 1_000);
        execution.close(null, 100, null, 1_001, 1_000_000);
        return execution;
    }

    private static List<?> elements(ExecutionBatch batch) {
        String text = "{\"all\":" + new String(batch.bytes(), 0, batch.length(), StandardCharsets.UTF_8) + "}";
        return (List<?>) JsonText.object(text.getBytes(StandardCharsets.UTF_8)).get("all");
    }

    private static List<Object> ids(ExecutionBatch batch) {
        return elements(batch).stream().<Object>map(e -> ((Map<?, ?>) e).get("executionId")).toList();
    }

    @Test
    void what_was_written_is_let_go_of() {
        ExecutionBatch batch = new ExecutionBatch();
        Execution plain = plain("a");
        Execution loaded = ExecutionQueueTest.closed("b", 100);
        batch.add(plain, KEYS);
        batch.add(loaded, KEYS);
        batch.seal();
        assertEquals(List.of(), plain.processors());
        assertNull(loaded.input());
        assertEquals(1, ((List<?>) ((Map<?, ?>) elements(batch).get(0)).get("processorExecutions")).size());
        assertEquals("b".repeat(100), ((Map<?, ?>) elements(batch).get(1)).get("inputBody"));
    }

    @Test
    void without_its_payload_an_execution_and_its_records_say_all_the_rest() {
        Execution execution = new Execution("x", "ex", "c", null, "route", "direct://x", 1_000, 0, 100, 1 << 20);
        execution.input(new Payload("body", 50, false, Map.of("inputBody", "1")));
        ProcessorRecord record = execution.open(null, new Step("p", "log", null), "ex", 0);
        execution.tapped(record, "inputHeaders", "kept");
        execution.input(record, new Payload("in", -1, false, Map.of()));
        execution.close(record, new IllegalStateException("no"), 0, new Payload(null, -1, true, Map.of("a", "b")), 1_000_000);
        execution.close(null, 100, new Payload("out", -1, false, Map.of()), 1_001, 1_000_000);
        ExecutionBatch batch = new ExecutionBatch();
        batch.add(execution, KEYS);
        Map<?, ?> whole = (Map<?, ?>) elements(batch.seal()).get(0);
        Map<?, ?> rest = (Map<?, ?>) elements(batch.withoutPayload()).get(0);
        assertEquals(Map.of("inputHeaders", "kept", "inputBodySize", "50", "truncated", "true", "payloadLeftOut", "true"), rest.get("attributes"));
        assertEquals(Set.of("inputBody", "inputHeaders", "outputBody", "outputHeaders"), missing(whole, rest));
        Map<?, ?> wholeRecord = (Map<?, ?>) ((List<?>) whole.get("processorExecutions")).get(0);
        Map<?, ?> restRecord = (Map<?, ?>) ((List<?>) rest.get("processorExecutions")).get(0);
        assertEquals(Set.of("inputBody", "inputHeaders", "outputHeaders"), missing(wholeRecord, restRecord));
        assertEquals("java.lang.IllegalStateException: no", restRecord.get("errorMessage"));
        assertEquals(Map.of("inputHeaders", "kept", "payloadLeftOut", "true"), restRecord.get("attributes"));
    }

    /** The members that went. */
    private static Set<Object> missing(Map<?, ?> whole, Map<?, ?> rest) {
        Set<Object> gone = new HashSet<>(whole.keySet());
        gone.removeAll(rest.keySet());
        return gone;
    }

    @Test
    void each_part_has_its_executions_and_a_key_of_its_own() {
        ExecutionBatch batch = new ExecutionBatch();
        for (int i = 0; i < 200; i++) {
            batch.add(i % 2 == 0 ? plain("e" + i) : ExecutionQueueTest.closed("e" + i, i), KEYS);
        }
        batch.seal();
        ExecutionBatch first = batch.part(0, 67);
        ExecutionBatch second = batch.part(67, 200);
        assertEquals(ids(batch).subList(0, 67), ids(first));
        assertEquals(ids(batch).subList(67, 200), ids(second));
        assertEquals(elements(batch).subList(67, 200), elements(second));
        assertNotEquals(first.key(), second.key());
        assertEquals(List.of("e5"), ids(first.part(5, 6).withoutPayload()));
        assertNull(first.part(5, 6).withoutPayload().withoutPayload());
        assertNull(first.part(4, 5).withoutPayload());
    }

    @Test
    void one_that_cannot_be_written_leaves_no_trace() {
        ExecutionBatch batch = new ExecutionBatch();
        Execution broken = new Execution("x", null, "x", null, "route", null, 1_000, 0, 100, 1 << 20);
        broken.close(null, 100, null, 1_001, 1_000_000);
        assertThrows(RuntimeException.class, () -> batch.add(broken, KEYS));
        batch.add(plain("a"), KEYS);
        assertThrows(RuntimeException.class, () -> batch.add(broken, KEYS));
        batch.add(plain("b"), KEYS);
        batch.seal();
        assertEquals(List.of("a", "b"), ids(batch));
        batch.clear(1 << 20);
        batch.add(plain("c"), KEYS);
        assertEquals(List.of("c"), ids(batch.seal()));
    }
}
