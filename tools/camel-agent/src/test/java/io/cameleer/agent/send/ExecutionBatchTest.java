package io.cameleer.agent.send;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.Test;

import io.cameleer.agent.json.JsonText;
import io.cameleer.agent.mask.SensitiveKeys;
import io.cameleer.agent.model.Execution;
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
    void what_was_written_is_let_go_of_unless_it_has_a_payload_to_leave_out() {
        ExecutionBatch batch = new ExecutionBatch();
        Execution plain = plain("a");
        Execution loaded = ExecutionQueueTest.closed("b", 100);
        batch.add(plain, KEYS);
        batch.add(loaded, KEYS);
        assertEquals(List.of(), plain.processors());
        assertNotNull(loaded.input());
        batch.seal();
        assertEquals(1, ((List<?>) ((Map<?, ?>) elements(batch).get(0)).get("processorExecutions")).size());
        batch.forget();
        assertNull(loaded.input());
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
        assertEquals(List.of("e5"), ids(first.part(5, 6).withoutPayload(KEYS)));
        assertNull(first.part(5, 6).withoutPayload(KEYS).withoutPayload(KEYS));
        assertNull(first.part(4, 5).withoutPayload(KEYS));
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
