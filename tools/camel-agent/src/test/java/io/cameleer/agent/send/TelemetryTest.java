package io.cameleer.agent.send;

import static io.cameleer.agent.send.SigningServer.until;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.ServerSocket;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import io.cameleer.agent.mask.SensitiveKeys;
import io.cameleer.agent.settings.Permissions;

/** What is no execution, on its way to a strict server. */
class TelemetryTest {

    private static final Timing QUICK = new Timing(20, 20, 100, 2_000, 2_000, 1_000);
    private static final CamelState CAMEL = new KnownCamel();

    private final Counters counters = new Counters();
    private final RecordQueue logs = new RecordQueue("logs", 3_000, 1 << 20, counters);
    private final AtomicInteger ticks = new AtomicInteger();
    private final AtomicInteger again = new AtomicInteger();
    private final Telemetry telemetry = new Telemetry(new Telemetry.Gathering() {
        @Override
        public void tick() {
            ticks.incrementAndGet();
        }

        @Override
        public void registeredAgain() {
            again.incrementAndGet();
        }
    }, List.of(logs), counters);
    private StrictServer server;
    private Session session;

    @AfterEach
    void end() throws Exception {
        telemetry.end(1_000);
        if (server != null) {
            server.close();
            assertEquals(List.of(), server.breaches);
        }
    }

    private void start(int port) {
        AgentIdentity identity = new AgentIdentity(URI.create("http://127.0.0.1:" + port), StrictServer.KEY, "unit", "test", "unit-1", "1");
        session = new Session(identity, new ServerConnection(identity.server(), true, QUICK.request()), CAMEL, counters, config -> { }, Permissions.all());
        telemetry.start(session, QUICK, CAMEL, SensitiveKeys::defaults);
    }

    private void add(int from, int to) {
        for (int i = from; i < to; i++) {
            logs.add(new RecordQueueTest.Line(i, 100));
        }
    }

    private List<Object> stored() {
        return server.records("logs").stream().map(line -> line.get("message")).toList();
    }

    @Test
    void records_arrive_in_order_and_what_is_left_at_the_end_too() throws Exception {
        server = new StrictServer(0);
        add(0, 2_500);
        start(server.port());
        until("all stored", () -> stored().size() == 2_500);
        assertEquals("line 2499", stored().get(2_499));
        add(2_500, 2_600);
        telemetry.end(2_000);
        assertEquals(2_600, stored().size());
        assertEquals(Map.of(), counters.all());
    }

    @Test
    void a_failed_request_comes_again_with_the_same_key() throws Exception {
        server = new StrictServer(0);
        server.recordStatuses.addAll(List.of(503, 429, 408, 500));
        add(0, 5);
        start(server.port());
        until("stored", () -> stored().size() == 5);
        assertEquals(5, server.recordAttempts.size());
        assertEquals(1, server.recordAttempts.stream().distinct().count());
    }

    @Test
    void a_batch_that_is_too_large_is_halved_until_it_fits_in_order() throws Exception {
        server = new StrictServer(0);
        server.largestBatch = 7;
        add(0, 50);
        start(server.port());
        until("all stored", () -> stored().size() == 50);
        assertEquals("line 0", stored().get(0));
        assertEquals("line 49", stored().get(49));
        server.largestBatch = 0;
        add(50, 51);
        until("given up", () -> counters.get("logs_too_large") == 1);
    }

    @Test
    void a_bad_request_is_dropped_and_counted_and_so_is_what_the_server_rejects_alone() throws Exception {
        server = new StrictServer(0);
        server.recordStatuses.add(400);
        add(0, 3);
        start(server.port());
        until("counted", () -> counters.get("logs_rejected_400") == 3);
        server.rejectedRecords = "[{\"index\":0,\"reason\":\"too_old\"},{\"index\":1,\"reason\":\"odd\"}]";
        add(3, 6);
        until("the next is stored", () -> stored().size() == 3);
        until("the rejected are counted", () -> counters.get("logs_too_old") == 1 && counters.get("logs_rejected") == 1);
    }

    @Test
    void an_outage_stops_the_sending_and_not_the_gathering() throws Exception {
        int port;
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        start(port);
        // more than the queue and the batch that is being tried can hold
        add(0, 4_500);
        int before = ticks.get();
        until("gathered on", () -> ticks.get() > before + 5);
        server = new StrictServer(port);
        until("all are stored or counted", () -> stored().size() + counters.get("logs_buffer_full") == 4_500);
        assertTrue(counters.get("logs_buffer_full") >= 500);
        assertEquals("line 4499", stored().get(stored().size() - 1));
    }

    @Test
    void it_is_told_of_every_registration_but_the_first() throws Exception {
        server = new StrictServer(0);
        add(0, 1);
        start(server.port());
        until("registered and stored", () -> stored().size() == 1);
        int before = ticks.get();
        until("gathered on", () -> ticks.get() > before + 2);
        assertEquals(0, again.get());
        server.refreshRefused = true;
        server.revokeAccess();
        add(1, 2);
        until("registered again", () -> again.get() == 1);
        assertEquals(2, server.registrations.size());
    }
}
