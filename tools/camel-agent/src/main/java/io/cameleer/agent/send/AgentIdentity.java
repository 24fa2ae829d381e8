package io.cameleer.agent.send;

import java.net.URI;

import io.cameleer.agent.settings.AgentSettings;

/**
 * Who this agent is, and with which secret it registers.
 *
 * @param compress whether the server is sent compressed bodies
 */
public record AgentIdentity(URI server, boolean compress, String apiKey, String application, String environment, String instanceId,
                            String version) {

    public AgentIdentity(URI server, String apiKey, String application, String environment, String instanceId, String version) {
        this(server, true, apiKey, application, environment, instanceId, version);
    }

    public static AgentIdentity of(AgentSettings settings, String version) {
        return new AgentIdentity(settings.server(), settings.compress(), settings.apiKey(), settings.application(), settings.environment(),
            settings.instanceId(), version);
    }

    /** Without the secret: this may end in a log. */
    @Override
    public String toString() {
        return instanceId + " of " + application + " in " + environment + " at " + server;
    }
}
