package io.cameleer.agent.send;

import static io.cameleer.agent.send.SigningServer.until;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import io.cameleer.agent.config.Configuration;
import io.cameleer.agent.mask.SensitiveKeys;
import io.cameleer.agent.settings.CaptureMode;
import io.cameleer.agent.settings.EngineLevel;
import io.cameleer.agent.settings.Permissions;
import io.cameleer.agent.settings.RecordingRules;

/** The agent against a server, or somebody in its place, that does not mean well; over real HTTP. */
class CommandChannelTest {

    private final Counters counters = new Counters();
    private final ExecutionQueue queue = new ExecutionQueue(100, 1 << 20, counters);
    private final Configuration configuration = new Configuration(
        new RecordingRules(EngineLevel.COMPLETE, CaptureMode.BOTH, 1, SensitiveKeys.defaults()), counters);
    private SigningServer server;
    private Reporting reporting;

    @BeforeEach
    void server() throws Exception {
        server = new SigningServer();
    }

    @AfterEach
    void end() {
        reporting.end();
        server.close();
        assertEquals(0, counters.get("agent_error"));
    }

    private void start() throws InterruptedException {
        start(SigningServer.QUICK);
    }

    private void start(Timing timing) throws InterruptedException {
        reporting = new Reporting(server.identity(), timing, ReportingTest.CAMEL, queue, List::of, counters, configuration, Permissions.all());
        reporting.start();
        until("a stream is open", () -> !server.strict.streams.isEmpty());
    }

    /** Something that every agent can do, so that an acknowledgement means it was obeyed. */
    private Map<String, Object> good() {
        return server.envelope("set-traced-processors", Map.of("processors", Map.of("p", "BOTH")));
    }

    private String deliver(Map<String, Object> envelope) {
        String id = (String) envelope.get("commandId");
        server.strict.event((String) envelope.get("type"), id, server.data(envelope));
        return id;
    }

    private void refused(String reason, long times) throws InterruptedException {
        until("refused." + reason, () -> counters.get("refused." + reason) >= times);
        assertEquals(times, counters.get("refused." + reason));
        // the stream is in order: what comes after the refused one is answered after it
        server.ackOf(deliver(good()));
        assertEquals(1, server.strict.acks.size(), "a refused command was acknowledged");
        server.strict.acks.clear();
    }

    @Test
    void a_good_command_is_obeyed_and_acknowledged() throws Exception {
        start();
        assertEquals("SUCCESS", server.ackOf(deliver(good())).get("status"));
        assertEquals(Map.of("p", CaptureMode.BOTH), configuration.live().traced());
        assertEquals(Map.of(), counters.all());
    }

    @Test
    void a_wrong_signature_is_refused() throws Exception {
        start();
        String payload = SigningServer.base64(SigningServer.json(good()));
        String other = SigningServer.base64(SigningServer.json(good()));
        String signature = server.signature(payload);
        List<String> wrong = new ArrayList<>(List.of(
            SigningServer.data(payload, server.signature(other), "key-1"),
            SigningServer.data(payload, SigningServer.base64(new byte[64]), "key-1"),
            SigningServer.data(payload, "", "key-1"),
            SigningServer.data(payload, "not base64!", "key-1"),
            SigningServer.data(payload, signature.substring(0, 80), "key-1"),
            SigningServer.data(payload, signature + "==", "key-1"),
            SigningServer.data(payload.substring(1), signature, "key-1"),
            SigningServer.data(payload + "=", signature, "key-1"),
            SigningServer.data("", signature, "key-1"),
            SigningServer.data("ä" + payload, signature, "key-1")));
        for (String data : wrong) {
            server.strict.event("set-traced-processors", "x", data);
        }
        refused("signature", wrong.size());
        assertEquals(Map.of("p", CaptureMode.BOTH), configuration.live().traced());
    }

    @Test
    void another_type_under_a_valid_payload_is_refused() throws Exception {
        start();
        Map<String, Object> envelope = good();
        for (String name : List.of("route-control", "replay", "SET-TRACED-PROCESSORS", "")) {
            server.strict.event(name, "x", server.data(envelope));
        }
        refused("type", 4);
        // the good event itself was not spent by them
        deliver(envelope);
        server.ackOf((String) envelope.get("commandId"));
    }

    @Test
    void what_is_meant_for_somebody_else_is_refused() throws Exception {
        record Case(String member, Object value, String reason) {
        }
        start();
        for (Case c : List.of(new Case("agentId", "unit-2", "agent"), new Case("agentId", 1, "agent"), new Case("tenantId", "other", "tenant"),
                new Case("environment", "prod", "environment"))) {
            Map<String, Object> envelope = good();
            envelope.put(c.member(), c.value());
            long before = counters.get("refused." + c.reason());
            deliver(envelope);
            refused(c.reason(), before + 1);
        }
        for (String member : List.of("agentId", "tenantId", "environment")) {
            Map<String, Object> envelope = good();
            envelope.remove(member);
            long before = counters.get("refused." + member.replace("Id", ""));
            deliver(envelope);
            refused(member.replace("Id", ""), before + 1);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {5, 0, -5})
    void a_fresh_command_is_good_and_an_expired_one_is_not_however_wrong_the_clock_is(long minutesAhead) throws Exception {
        server.strict.ahead = Duration.ofMinutes(minutesAhead);
        start();
        Map<String, Object> expired = good();
        expired.put("expiresAt", server.strict.now().minusSeconds(45).toString());
        deliver(expired);
        refused("expired", 1);
        Map<String, Object> within = good();
        within.put("expiresAt", server.strict.now().minusSeconds(10).toString());
        assertEquals("SUCCESS", server.ackOf(deliver(within)).get("status"), "30 s are tolerated");
        assertEquals("SUCCESS", server.ackOf(deliver(good())).get("status"));
    }

    @Test
    void a_command_and_a_nonce_are_good_once() throws Exception {
        start();
        Map<String, Object> first = good();
        server.ackOf(deliver(first));
        server.strict.acks.clear();
        deliver(first);
        refused("nonce", 1);
        Map<String, Object> sameNonce = good();
        sameNonce.put("nonce", first.get("nonce"));
        deliver(sameNonce);
        refused("nonce", 2);
        Map<String, Object> sameId = good();
        sameId.put("commandId", first.get("commandId"));
        deliver(sameId);
        refused("nonce", 3);
    }

    @Test
    void what_is_not_well_formed_is_refused_and_the_stream_goes_on() throws Exception {
        start();
        long refused = 0;
        String payload = SigningServer.base64("{\"commandId\":".getBytes(StandardCharsets.UTF_8));
        String array = SigningServer.base64("[1]".getBytes(StandardCharsets.UTF_8));
        String deep = SigningServer.base64("[".repeat(100_000).getBytes(StandardCharsets.UTF_8));
        String bad = "@@not-base64@@";
        for (String data : List.of("", "{", "[]", "null", "{\"payload\":1,\"signature\":\"a\",\"keyId\":\"b\"}", "{\"payload\":\"a\"}",
                "{\"a\":" + "[".repeat(50_000), SigningServer.data(payload, server.signature(payload), "key-1"),
                SigningServer.data(array, server.signature(array), "key-1"), SigningServer.data(deep, server.signature(deep), "key-1"),
                SigningServer.data(bad, server.signature(bad), "key-1"))) {
            server.strict.event("replay", "x", data);
            refused++;
        }
        for (Map.Entry<String, Object> change : Map.<String, Object>of("commandId", "../../register", "nonce", "", "expiresAt", "soon",
                "type", 7).entrySet()) {
            Map<String, Object> envelope = good();
            envelope.put(change.getKey(), change.getValue());
            server.strict.event("set-traced-processors", "x", server.data(envelope));
            refused++;
        }
        Map<String, Object> never = good();
        never.put("expiresAt", "+999999999-12-31T23:59:59Z");
        server.strict.event("set-traced-processors", "x", server.data(never));
        refused("malformed", refused + 1);
    }

    @Test
    void a_huge_event_is_refused_without_being_kept() throws Exception {
        start();
        server.strict.stream("event: replay\ndata: ");
        String megabyte = "A".repeat(1 << 20);
        for (int i = 0; i < 20; i++) {
            server.strict.stream(megabyte);
        }
        server.strict.stream("\n\n");
        for (int i = 0; i < 20; i++) {
            server.strict.stream("data: " + megabyte + "\n");
        }
        server.strict.stream("\n");
        refused("malformed", 2);
    }

    @Test
    void an_unknown_command_or_a_body_of_another_kind_is_a_failure_in_words() throws Exception {
        start();
        assertTrue(server.fail("format-disk", Map.of()).contains("does not know"));
        for (String type : List.of("config-update", "set-traced-processors", "route-control", "replay", "test-expression")) {
            assertFalse(server.fail(type, Map.of("processors", 1, "config", "x", "action", List.of())).isBlank(), type);
        }
        assertTrue(server.fail("deep-trace", Map.of("durationSeconds", 3_601)).contains("3600"));
        assertTrue(server.fail("deep-trace", Map.of("routeId", "nowhere")).contains("nowhere"));
    }

    @Test
    void a_key_that_is_not_known_makes_the_agent_register_again_and_obey() throws Exception {
        start();
        server.changeKey("key-2");
        Map<String, Object> envelope = good();
        deliver(envelope);
        until("registered again", () -> server.strict.registrations.size() == 2);
        until("the stream is opened again", () -> server.strict.streams.size() == 2);
        assertEquals("", server.strict.streams.get(1), "the command is not one that was had");
        assertEquals(1, counters.get("refused.key"));
        server.ackOf(deliver(envelope));

        // not more than once a minute, whatever is sent
        for (int i = 0; i < 20; i++) {
            String payload = SigningServer.base64(SigningServer.json(good()));
            server.strict.event("replay", "x", SigningServer.data(payload, server.signature(payload), "key-" + i + 10));
        }
        until("counted", () -> counters.get("refused.key") == 21);
        server.ackOf(deliver(good()));
        assertEquals(2, server.strict.registrations.size());
    }

    @Test
    void without_a_usable_key_or_a_tenant_nothing_is_obeyed() throws Exception {
        String key = server.strict.serverPublicKey;
        server.strict.serverPublicKey = "AAAA";
        start();
        deliver(good());
        until("refused", () -> counters.get("refused.key") == 1);
        until("registered again", () -> server.strict.registrations.size() == 2);
        assertEquals(Map.of(), server.strict.acks);
        server.strict.serverPublicKey = key;
    }

    @Test
    void what_was_refused_is_told_with_the_heartbeat() throws Exception {
        start();
        server.strict.event("replay", "x", "{}");
        until("told", () -> server.strict.heartbeats.stream().anyMatch(b ->
            b.get("capabilities") instanceof Map<?, ?> c && c.get("refused.malformed") instanceof Number n && n.intValue() == 1));
    }

    @Test
    void a_stream_that_ends_is_opened_again_after_the_last_command() throws Exception {
        start();
        String id = deliver(good());
        server.ackOf(id);
        server.strict.stream("");
        until("opened again", () -> server.strict.streams.size() == 2);
        assertEquals(List.of("", id), server.strict.streams);
        server.ackOf(deliver(good()));
    }

    @Test
    void reauth_gets_a_new_token_and_a_new_stream() throws Exception {
        start();
        server.strict.revokeAccess();
        server.strict.stream("event: reauth\ndata: {}\n\n");
        until("opened again", () -> server.strict.streams.size() == 2);
        assertTrue(server.strict.calls.contains("refresh"));
        assertEquals(1, server.strict.registrations.size());

        server.strict.refreshRefused = true;
        server.strict.revokeAccess();
        server.strict.stream("event: reauth\ndata: {}\n\n");
        until("opened again", () -> server.strict.streams.size() >= 3);
        until("registered again", () -> server.strict.registrations.size() >= 2);
        server.ackOf(deliver(good()));
    }

    @Test
    void a_stream_that_went_silent_is_opened_again() throws Exception {
        server.strict.silentStreams = true;
        Timing q = SigningServer.QUICK;
        start(new Timing(q.flush(), q.retryLeast(), q.retryMost(), q.request(), q.farewell(), q.firstContact(), 200));
        until("opened again", () -> server.strict.streams.size() >= 3);
        assertTrue(counters.get("stream_idle") >= 2);
        server.strict.silentStreams = false;
    }

    @Test
    void an_acknowledgement_is_tried_until_it_is_answered_or_too_late() throws Exception {
        start();
        server.strict.ackStatuses.addAll(List.of(503, 500, 429));
        server.ackOf(deliver(good()));
        server.strict.ackStatuses.addAll(List.of(409));
        deliver(good());
        until("given up: the server does not want it", () -> counters.get("ack_refused") == 1);
        for (int i = 0; i < 1_000; i++) {
            server.strict.ackStatuses.add(503);
        }
        Map<String, Object> brief = good();
        brief.put("expiresAt", server.strict.now().plusMillis(300).toString());
        deliver(brief);
        until("given up: too late", () -> counters.get("ack_expired") == 1);
        server.strict.ackStatuses.clear();
    }

    @Test
    void the_configuration_is_asked_for_with_each_stream_and_only_a_newer_one_taken() throws Exception {
        server.strict.config = "{\"version\":4,\"samplingRate\":0.5}";
        server.strict.liveConfig = "{\"version\":3,\"samplingRate\":0.1,\"mergedSensitiveKeys\":[\"pin\"]}";
        start();
        until("asked and the keys taken", () -> configuration.live().rules().sensitiveKeys().matches("pin"));
        assertEquals(0.5, configuration.live().rules().samplingRate());
        server.strict.liveConfig = "{\"version\":5,\"samplingRate\":0.25}";
        server.strict.stream("");
        until("the newer one", () -> configuration.live().version() == 5);
        assertEquals(0.25, configuration.live().rules().samplingRate());

        assertEquals(5, ((Number) server.succeed("config-update", Map.of("config", Map.of("version", 5, "samplingRate", 1))).get("version")).intValue());
        assertEquals(0.25, configuration.live().rules().samplingRate());
        server.succeed("config-update", Map.of("config", Map.of("version", 6, "samplingRate", 1, "id", UUID.randomUUID().toString())));
        assertEquals(1, configuration.live().rules().samplingRate());
    }
}
