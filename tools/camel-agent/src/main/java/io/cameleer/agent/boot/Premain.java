package io.cameleer.agent.boot;

import java.lang.instrument.Instrumentation;

import io.cameleer.agent.send.AgentIdentity;
import io.cameleer.agent.send.Timing;
import io.cameleer.agent.settings.AgentSettings;
import io.cameleer.agent.settings.EngineLevel;

/** The {@code -javaagent} entry. Whatever goes wrong here, the application starts. */
public final class Premain {

    private Premain() {
    }

    public static void premain(String arguments, Instrumentation instrumentation) {
        try {
            start(instrumentation);
        } catch (Throwable e) {
            AgentLog.warn("off: " + (e instanceof IllegalArgumentException ? e.getMessage() : e.toString()));
        }
    }

    private static void start(Instrumentation instrumentation) {
        AgentSettings settings = AgentSettings.fromJvm();
        if (!settings.missing().isEmpty()) {
            AgentLog.warn("off: " + settings.missing() + " is not set");
            return;
        }
        if (settings.rules().level() == EngineLevel.NONE) {
            AgentLog.info("the engine level is NONE: nothing is recorded until the server says otherwise");
        }
        String version = Premain.class.getPackage().getImplementationVersion();
        AgentRuntime runtime = new AgentRuntime(AgentIdentity.of(settings, version == null ? "0" : version),
            settings.rules(), settings.limits(), Timing.defaults(), settings.permissions());
        instrumentation.addTransformer(new CamelWatcher(runtime), false);
        Runtime.getRuntime().addShutdownHook(new Thread(runtime::shutdown, "cameleer-shutdown"));
    }
}
