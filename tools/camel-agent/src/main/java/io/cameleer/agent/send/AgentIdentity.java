package io.cameleer.agent.send;

import java.net.URI;

import io.cameleer.agent.settings.AgentSettings;

/** Who this agent is, and with which secret it registers. */
public record AgentIdentity(URI server, String apiKey, String application, String environment, String instanceId, String version) {

    public static AgentIdentity of(AgentSettings settings, String version) {
        return new AgentIdentity(settings.server(), settings.apiKey(), settings.application(), settings.environment(),
            settings.instanceId(), version);
    }

    /** Without the secret: this may end in a log. */
    @Override
    public String toString() {
        return instanceId + " of " + application + " in " + environment + " at " + server;
    }
}
