package io.cameleer.agent.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import io.cameleer.agent.config.Configuration;
import io.cameleer.agent.mask.SensitiveKeys;
import io.cameleer.agent.send.Counters;
import io.cameleer.agent.send.SigningServer;
import io.cameleer.agent.settings.CaptureMode;
import io.cameleer.agent.settings.EngineLevel;
import io.cameleer.agent.settings.Permissions;
import io.cameleer.agent.settings.RecordingRules;

/** An application that does not come to an end, or falls over. */
class CommandExecutorTest {

    private final CountDownLatch release = new CountDownLatch(1);
    private final Map<String, Outcome> outcomes = new ConcurrentHashMap<>();
    private final CamelControl stuck = new CamelControl() {
        @Override
        public boolean started() {
            return true;
        }

        @Override
        public boolean hasRoute(String routeId) {
            return true;
        }

        @Override
        public String control(String routeId, String action) throws Exception {
            release.await();
            throw new StackOverflowError("deep");
        }

        @Override
        public Evaluated evaluate(String language, String expression, String body, Map<String, String> headers) throws Exception {
            release.await();
            throw new NoClassDefFoundError("gone");
        }

        @Override
        public Replaying replay(String routeId, String body, Map<String, String> headers, String originalExecutionId) {
            return new Replaying() {
                @Override
                public void run() {
                    try {
                        release.await();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                }

                @Override
                public Map<String, Object> data() {
                    return Map.of("executionId", "e1", "status", release.getCount() == 0 ? "COMPLETED" : "RUNNING");
                }
            };
        }
    };
    private CommandExecutor executor;

    private void start(long mostMillis) {
        Configuration configuration = new Configuration(
            new RecordingRules(EngineLevel.COMPLETE, CaptureMode.BOTH, 1, SensitiveKeys.defaults()), new Counters());
        executor = new CommandExecutor(() -> List.of(stuck), configuration, Permissions.all(), () -> {
        }, (command, outcome) -> assertEquals(null, outcomes.put(command.commandId(), outcome)), mostMillis);
    }

    private void accept(String id, String type, Map<String, Object> body) {
        executor.accept(new Command(id, type, Long.MAX_VALUE, body));
    }

    private Outcome outcome(String id) throws InterruptedException {
        SigningServer.until("the outcome of " + id, () -> outcomes.containsKey(id));
        return outcomes.get(id);
    }

    @AfterEach
    void end() {
        release.countDown();
        executor.end();
    }

    @Test
    void nobody_waits_for_what_does_not_come_to_an_end() throws Exception {
        start(50);
        accept("r", "replay", Map.of("routeId", "a"));
        accept("t", "test-expression", Map.of());
        assertEquals(new Outcome(true, "the replay is still running", Map.of("executionId", "e1", "status", "RUNNING")), outcome("r"));
        assertTrue(!outcome("t").success() && outcome("t").message().contains("no result"));
    }

    @Test
    void too_many_at_once_are_refused_and_each_is_answered_once() throws Exception {
        start(60_000);
        for (int i = 0; i < 200; i++) {
            accept("r" + i, "replay", Map.of("routeId", "a"));
            accept("c" + i, "route-control", Map.of("routeId", "a", "action", "stop"));
        }
        SigningServer.until("the refusals", () -> outcomes.size() == 400 - 20 - 101);
        assertTrue(outcomes.values().stream().allMatch(o -> !o.success() && o.message().contains("busy")));
        release.countDown();
        SigningServer.until("all", () -> outcomes.size() == 400);
        assertEquals(20, outcomes.values().stream().filter(Outcome::success).count());
        assertTrue(outcome("c0").message().contains("StackOverflowError"));
        accept("t", "test-expression", Map.of());
        assertTrue(outcome("t").message().contains("NoClassDefFoundError"));
    }
}
