package io.cameleer.agent.settings;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AgentSettingsTest {

    private static AgentSettings read(Map<String, String> properties, Map<String, String> environment) {
        return AgentSettings.read(properties::get, environment::get);
    }

    @Test
    void a_system_property_wins_over_the_environment() {
        AgentSettings settings = read(Map.of("cameleer.agent.application", "from-property"),
            Map.of("CAMELEER_AGENT_APPLICATION", "from-environment", "CAMELEER_AUTH_TOKEN", "token", "CAMELEER_AGENT_SERVERURL", "http://h:1/"));
        assertEquals("from-property", settings.application());
        assertEquals("token", settings.apiKey());
        assertEquals("http://h:1", settings.server().toString());
        assertEquals("default", settings.environment());
        assertTrue(settings.instanceId().startsWith("from-property-"));
        assertEquals("", settings.missing());
    }

    @Test
    void the_api_key_wins_over_the_token() {
        assertEquals("key", read(Map.of(), Map.of("CAMELEER_API_KEY", "key", "CAMELEER_AUTH_TOKEN", "token")).apiKey());
    }

    @Test
    void what_the_server_may_do_is_on_unless_it_is_switched_off() {
        assertEquals(Permissions.all(), read(Map.of(), Map.of()).permissions());
        assertEquals(new Permissions(false, true), read(Map.of("cameleer.agent.routecontrol.enabled", "FALSE"), Map.of()).permissions());
        assertEquals(new Permissions(true, false), read(Map.of(), Map.of("CAMELEER_AGENT_REPLAY_ENABLED", "false")).permissions());
    }

    @ParameterizedTest
    @CsvSource({
        "http://127.0.0.1:8080, AUTO, false", "http://localhost:8080, AUTO, false", "http://[::1]:8080, AUTO, false",
        "http://cameleer.example, AUTO, true", "http://10.0.0.1, AUTO, true", "http://localhost, GZIP, true", "https://cameleer.example, none, false",
    })
    void what_is_sent_is_compressed_unless_it_stays_on_the_machine(String server, String compression, boolean compressed) {
        assertEquals(compressed,
            read(Map.of(), Map.of("CAMELEER_AGENT_SERVERURL", server, "CAMELEER_AGENT_COMPRESSION", compression)).compress());
    }

    @Test
    void what_is_missing_is_named() {
        assertEquals("CAMELEER_API_KEY", read(Map.of(), Map.of()).missing());
        assertEquals("CAMELEER_AGENT_SERVERURL", read(Map.of(), Map.of("CAMELEER_API_KEY", "k")).missing());
    }

    @ParameterizedTest
    @CsvSource({
        "CAMELEER_AGENT_SERVERURL, ftp://x", "CAMELEER_AGENT_SERVERURL, http://", "CAMELEER_AGENT_ENGINELEVEL, LOTS",
        "CAMELEER_AGENT_PAYLOADCAPTUREMODE, some", "CAMELEER_AGENT_SAMPLINGRATE, 1.5", "CAMELEER_AGENT_SAMPLINGRATE, NaN",
        "CAMELEER_AGENT_QUEUEEXECUTIONS, 0", "CAMELEER_AGENT_MAXBODYSIZE, -1", "CAMELEER_AGENT_MAXBODYSIZE, many",
        "CAMELEER_AGENT_ROUTECONTROL_ENABLED, yes", "CAMELEER_AGENT_COMPRESSION, brotli", "CAMELEER_AGENT_REPLAY_ENABLED, 0",
    })
    void a_wrong_setting_is_named_with_its_rule(String name, String value) {
        IllegalArgumentException wrong = assertThrows(IllegalArgumentException.class, () -> read(Map.of(), Map.of(name, value)));
        assertTrue(wrong.getMessage().startsWith(name + " must be "), wrong.getMessage());
    }
}
