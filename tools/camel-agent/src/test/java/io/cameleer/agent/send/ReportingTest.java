package io.cameleer.agent.send;

import static io.cameleer.agent.send.SigningServer.until;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.ServerSocket;
import java.net.URI;
import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import io.cameleer.agent.config.Configuration;
import io.cameleer.agent.mask.SensitiveKeys;
import io.cameleer.agent.settings.CaptureMode;
import io.cameleer.agent.settings.EngineLevel;
import io.cameleer.agent.settings.Permissions;
import io.cameleer.agent.settings.RecordingRules;

class ReportingTest {

    private static final Timing QUICK = new Timing(20, 20, 100, 2_000, 2_000, 1_000);
    static final CamelState CAMEL = new KnownCamel("route");

    private final Counters counters = new Counters();
    private final ExecutionQueue queue = new ExecutionQueue(1_000, 1 << 20, counters);
    private final Configuration configuration = new Configuration(
        new RecordingRules(EngineLevel.COMPLETE, CaptureMode.BOTH, 1, SensitiveKeys.defaults()), counters);
    private StrictServer server;
    private Reporting reporting;

    @AfterEach
    void end() {
        if (reporting != null) {
            reporting.end();
        }
        if (server != null) {
            server.close();
            assertEquals(List.of(), server.breaches);
        }
    }

    private void start(int port) {
        AgentIdentity identity = new AgentIdentity(URI.create("http://127.0.0.1:" + port), StrictServer.KEY, "unit", "test", "unit-1", "1");
        reporting = new Reporting(identity, QUICK, CAMEL, queue, List::of, counters, configuration, Permissions.all());
        reporting.start();
    }

    private void add(int from, int to) {
        for (int i = from; i < to; i++) {
            queue.add(ExecutionQueueTest.closed("e" + i, 10));
        }
    }

    @Test
    void executions_arrive_and_the_end_is_announced() throws Exception {
        server = new StrictServer(0);
        start(server.port());
        add(0, 250);
        until("all stored", () -> server.stored.size() == 250);
        until("a heartbeat", () -> !server.heartbeats.isEmpty());
        assertEquals(Map.of("route", "Started"), server.heartbeats.get(0).get("routeStates"));
        assertEquals(List.of("route"), server.registrations.get(0).get("routeIds"));
        reporting.end();
        assertTrue(server.calls.contains("deregister"));
        assertEquals(1, server.registrations.size());
    }

    @Test
    void an_application_that_starts_slowly_is_registered_again_once_its_routes_are_known() throws Exception {
        server = new StrictServer(0);
        KnownCamel slow = new KnownCamel("route");
        slow.started = false;
        AgentIdentity identity =
            new AgentIdentity(URI.create("http://127.0.0.1:" + server.port()), StrictServer.KEY, "unit", "test", "unit-1", "1");
        reporting = new Reporting(identity, QUICK, slow, queue, List::of, counters, configuration, Permissions.all());
        reporting.start();
        until("registered without waiting for ever", () -> !server.heartbeats.isEmpty());
        assertEquals(List.of(), server.registrations.get(0).get("routeIds"));
        slow.started = true;
        until("registered again", () -> server.registrations.size() == 2);
        assertEquals(List.of("route"), server.registrations.get(1).get("routeIds"));
        int beats = server.heartbeats.size();
        until("more heartbeats", () -> server.heartbeats.size() > beats + 2);
        assertEquals(2, server.registrations.size());
    }

    @Test
    void what_is_left_at_the_end_is_still_sent() throws Exception {
        server = new StrictServer(0);
        start(server.port());
        until("registered", () -> !server.registrations.isEmpty());
        add(0, 150);
        reporting.end();
        assertEquals(150, server.stored.size());
    }

    @Test
    void an_outage_loses_nothing_that_the_queue_can_hold() throws Exception {
        int port;
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        start(port);
        add(0, 500);
        until("a batch was taken, and is on its way to nobody", () -> queue.size() < 500);
        server = new StrictServer(port);
        until("all stored", () -> server.stored.size() == 500);
        assertEquals(Map.of(), counters.all());
    }

    @Test
    void an_outage_longer_than_the_queue_keeps_the_newest_and_reports_the_rest() throws Exception {
        int port;
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        start(port);
        add(0, 10_000);
        server = new StrictServer(port);
        until("the newest is stored", () -> server.stored.contains("e9999"));
        until("all others are counted", () -> server.stored.size() + counters.get("buffer_full") == 10_000);
        until("the heartbeat tells", () -> server.heartbeats.stream().anyMatch(b ->
            b.get("capabilities") instanceof Map<?, ?> c && c.get("dropped.buffer_full") instanceof Number n && n.longValue() >= 1_000));
    }

    @Test
    void a_refused_token_is_refreshed_and_a_refused_refresh_registers_again() throws Exception {
        server = new StrictServer(0);
        start(server.port());
        until("registered", () -> !server.heartbeats.isEmpty());
        server.revokeAccess();
        add(0, 10);
        until("stored after the refresh", () -> server.stored.size() == 10);
        assertTrue(server.calls.contains("refresh"));
        assertEquals(1, server.registrations.size());

        server.refreshRefused = true;
        server.revokeAccess();
        add(10, 20);
        until("stored after registering again", () -> server.stored.size() == 20);
        assertTrue(server.registrations.size() >= 2);
        assertEquals(Map.of(), counters.all());
    }

    @Test
    void a_token_is_refreshed_before_it_ends() throws Exception {
        server = new StrictServer(0);
        server.expiresInSeconds = 1;
        start(server.port());
        until("refreshed twice", () -> server.calls.stream().filter("refresh"::equals).count() >= 2);
        assertEquals(1, server.registrations.size());
    }

    @Test
    void a_failed_request_comes_again_with_the_same_key_and_content() throws Exception {
        server = new StrictServer(0);
        server.dataStatuses.addAll(List.of(503, 429, 408, 500));
        add(0, 5);
        start(server.port());
        until("stored", () -> server.stored.size() == 5);
        List<StrictServer.Sent> first = server.attempts.stream().filter(a -> a.ids().contains("e0")).toList();
        assertEquals(5, first.size());
        assertEquals(1, first.stream().distinct().count());
        assertEquals(Map.of(), counters.all());
    }

    @Test
    void a_bad_request_is_dropped_and_counted_and_the_next_goes_through() throws Exception {
        server = new StrictServer(0);
        server.dataStatuses.add(400);
        add(0, 3);
        start(server.port());
        until("counted", () -> counters.get("rejected_400") == 3);
        add(3, 6);
        until("the next is stored", () -> server.stored.size() == 3);
        assertFalse(server.stored.contains("e0"));
        until("the heartbeat tells", () -> server.heartbeats.stream().anyMatch(b ->
            b.get("capabilities") instanceof Map<?, ?> c && c.get("dropped.rejected_400") instanceof Number n && n.intValue() == 3));
    }

    @Test
    void a_batch_that_is_too_large_is_split_until_it_fits() throws Exception {
        server = new StrictServer(0);
        server.largestBatch = 7;
        add(0, 100);
        start(server.port());
        until("all stored", () -> server.stored.size() == 100);
        List<String> keys = server.attempts.stream().map(StrictServer.Sent::key).toList();
        assertEquals(keys.size(), keys.stream().distinct().count());
    }

    @Test
    void one_execution_that_is_too_large_is_sent_without_its_payload_and_then_given_up() throws Exception {
        server = new StrictServer(0);
        queue.add(ExecutionQueueTest.closed("large", 5_000));
        server.dataStatuses.add(413);
        start(server.port());
        until("stored without payload", () -> server.stored.contains("large"));
        assertTrue(server.attempts.get(0).size() > 5_000);
        assertTrue(server.attempts.get(1).size() < 1_000);

        server.largestBatch = 0;
        queue.add(ExecutionQueueTest.closed("hopeless", 10));
        until("given up", () -> counters.get("too_large") == 1);
    }

    @Test
    void the_configuration_of_the_registration_is_handed_on() throws Exception {
        server = new StrictServer(0);
        server.config = "{\"version\":3,\"samplingRate\":0.5}";
        start(server.port());
        until("handed on", () -> configuration.live().version() == 3);
        assertEquals(0.5, configuration.live().rules().samplingRate());
    }
}
